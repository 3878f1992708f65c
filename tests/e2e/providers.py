"""A web server that stands in for providers and for systems that are called: keeps what it is asked, and answers as a test says."""

import http.server
import threading


class Provider:
    """`answer` is given a request and gives status, headers and body."""

    def __init__(self, answer=lambda request: (200, {}, "{}")):
        self.requests = []
        self.lock = threading.Lock()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "body": body.decode()}
                with provider.lock:
                    provider.requests.append(request)
                status, headers, text = answer(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = take

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def header(self, index, name):
        headers = {key.lower(): value for key, value in self.requests[index]["headers"].items()}
        return headers.get(name.lower())
