// The same mails by nodemailer (a pool of kept connections) and handlebars, in two processes; nothing is recorded and nothing is signed.
// node mail_peer.mjs PORT CONNECTIONS MESSAGES, with NODE_MODULES naming the folder that has both packages.
import { createRequire } from 'node:module';
import { fork } from 'node:child_process';

const require = createRequire(process.env.NODE_MODULES + '/');
const [port, connections, messages] = process.argv.slice(2).map(Number);

if (!process.env.CHILD) {
  const child = () => new Promise((done, failed) => {
    const args = [port, Math.ceil(connections / 2), messages / 2].map(String);
    fork(process.argv[1], args, { env: { ...process.env, CHILD: '1' } }).on('exit', (code) => (code ? failed(new Error('a child failed')) : done()));
  });
  await Promise.all([child(), child()]);
} else {
  const paragraph = '<p style="color:#222">One short message at a time, and a person reads every answer, {{first_name}}.</p>\n';
  const html = require('handlebars').compile(`<h1>Hello {{first_name}}</h1><ul>{{#each topics}}<li>{{this}}</li>{{/each}}</ul>${paragraph.repeat(100)}`);
  const transport = require('nodemailer').createTransport({
    host: '127.0.0.1', port, secure: false, ignoreTLS: true, pool: true, maxConnections: connections, maxMessages: Infinity, name: 'localhost',
  });
  let next = 0;
  const worker = async () => {
    while (next < messages) {
      const number = next++;
      await transport.sendMail({
        from: 'hello@shop.example', to: `contact-${number}@example.test`, subject: `Hello Contact ${number}`,
        text: 'The news.', html: html({ first_name: `Contact ${number}`, topics: ['a', 'b', 'c', 'd', 'e'] }),
      });
    }
  };
  await Promise.all(Array.from({ length: connections * 2 }, worker));
  transport.close();
}
