// Reads a graph in DOT from standard input and lays it out with Graphviz: its warnings and errors, and the texts of its nodes, as JSON.
const { instance } = require("@viz-js/viz");

let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", async () => {
  const viz = await instance();
  const done = viz.render(text, { format: "json" });
  const nodes = done.status === "success" ? JSON.parse(done.output).objects : [];
  console.log(JSON.stringify({ status: done.status, errors: done.errors, nodes: nodes.map((node) => node.label) }));
});
