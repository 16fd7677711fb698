"""A proxy in front of a registry that breaks exchanges by rule and keeps a log of all requests.

with FaultProxy(registry.host, [Rule('cut', path='/blobs/', bytes=1000, times=1)]) as p: … p.host …

Without upstream it answers 404 where no rule does. In a shell:
PYTHONPATH=tests python3 -m fake.faultproxy 127.0.0.1:5000 '[{"do": "slow", "rate": 100000}]'
"""

import argparse
import contextlib
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass, field

from fake.rules import Rule, Rules

PIECE = 64 * 1024
MAX_LINE = 1024 * 1024
IDLE_SECONDS = 60
TICK = 0.05


@dataclass
class Seen:
    """One request as it came; header names in lower case."""
    method: str
    target: str
    headers: dict = field(default_factory=dict)
    body_bytes: int = 0
    status: int = 0
    fault: str = ''
    time: float = 0.0

    @property
    def path(self):
        """The target without its query."""
        return self.target.partition('?')[0]


class Ended(Exception):
    """The connection is over."""


class Peer:
    """One end of an exchange: a socket with buffered reading."""

    def __init__(self, sock):
        sock.settimeout(IDLE_SECONDS)
        self.sock = sock
        self.file = sock.makefile('rb')

    def line(self):
        """One line without its end."""
        text = self.file.readline(MAX_LINE)
        if not text.endswith(b'\n'):
            raise Ended
        return text.rstrip(b'\r\n')

    def head(self):
        """First line and headers [(name, value)] of a message."""
        first, headers = self.line().decode('latin-1'), []
        while text := self.line():
            name, _, value = text.decode('latin-1').partition(':')
            headers.append((name.strip(), value.strip()))
        return first, headers

    def body(self, headers, status=None, method=''):
        """Pieces of the body of a message: (bytes to pass on, bytes of content)."""
        found = {n.lower(): v for n, v in headers}
        if method == 'HEAD' or status in (204, 304) or (status and 100 <= status < 200):
            return
        if found.get('transfer-encoding', '').lower() == 'chunked':
            yield from self._chunks()
        elif 'content-length' in found:
            left = int(found['content-length'])
            while left:
                piece = self.file.read1(min(left, PIECE))
                if not piece:
                    raise Ended
                left -= len(piece)
                yield piece, piece
        elif status is not None:
            while piece := self.file.read1(PIECE):
                yield piece, piece

    def _chunks(self):
        while True:
            size = self.line()
            n = int(size.partition(b';')[0], 16)
            if n == 0:
                self.line()
                yield b'0\r\n\r\n', b''
                return
            data = self.file.read(n)
            self.line()
            yield size + b'\r\n' + data + b'\r\n', data

    def send(self, data):
        """Send all."""
        self.sock.sendall(data)

    def reset(self):
        """End with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close()
        raise Ended

    def close(self):
        """End it."""
        with contextlib.suppress(OSError):
            self.file.close()
            self.sock.close()


def head_bytes(first, headers):
    """A message's head on the wire."""
    return '\r\n'.join([first] + [f'{n}: {v}' for n, v in headers] + ['', '']).encode('latin-1')


class Connection:
    """One client's connection: exchange after exchange."""

    def __init__(self, proxy, sock):
        self.proxy = proxy
        self.client = Peer(sock)
        self.upstream = None

    def run(self):
        """Serve until one side ends."""
        try:
            while True:
                self.exchange()
        except (OSError, Ended, ValueError):
            pass
        finally:
            self.client.close()
            if self.upstream:
                self.upstream.close()

    def exchange(self):
        """One request with its answer."""
        first, headers = self.client.head()
        method, target, _ = first.split(' ', 2)
        seen = Seen(method, target, time=time.time())
        for name, value in headers:
            old = seen.headers.get(name.lower())
            seen.headers[name.lower()] = value if old is None else f'{old}, {value}'
        rule = self.proxy.rules.pick(method, target)
        seen.fault = rule.do if rule else ''
        self.proxy.log.append(seen)
        if not rule and not self.proxy.upstream:
            rule = Rule('answer', status=404, headers={'Content-Type': 'text/plain'})
        if rule and rule.do in ('answer', 'redirect', 'refuse'):
            self.answer(rule, seen, headers)
        else:
            self.forward(rule, seen, first, headers)

    def request_body(self, seen, headers, rule=None):
        """Pieces of the request's body, counted; a rule for where=request comes true here."""
        if seen.headers.get('expect', '').lower() == '100-continue':
            self.client.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        here = rule and rule.where == 'request'
        for raw, data in self.client.body(headers):
            seen.body_bytes += len(data)
            if here and seen.body_bytes >= rule.bytes:
                if rule.do == 'reset':
                    self.client.reset()
                if rule.do == 'stall':
                    self.wait_for_end()
            yield raw

    def answer(self, rule, seen, headers):
        """Answer in the server's place."""
        for _ in self.request_body(seen, headers):
            if rule.do == 'refuse' and seen.body_bytes >= rule.bytes:
                break
        body, reply = rule.content(), []
        for name, value in rule.headers.items():
            reply += [(name, v) for v in (value if isinstance(value, list) else [value])]
        if rule.do == 'redirect':
            reply.append(('Location', rule.to + seen.target))
        reply.append(('Content-Length', str(len(body))))
        if rule.do == 'refuse':
            reply.append(('Connection', 'close'))
        seen.status = rule.status
        self.client.send(head_bytes(f'HTTP/1.1 {rule.status} Fault', reply)
                         + (b'' if seen.method == 'HEAD' else body))
        if rule.do == 'refuse':
            self.client.sock.shutdown(socket.SHUT_WR)
            self.drain()
            raise Ended

    def drain(self):
        """Read what is under way for a moment, so that closing does not reset the answer."""
        self.client.sock.settimeout(0.5)
        until = time.monotonic() + 2
        while time.monotonic() < until and self.client.file.read1(PIECE):
            pass

    def forward(self, rule, seen, first, headers):
        """Let the upstream answer, and do the rule's fault to it."""
        if not self.upstream:
            self.upstream = Peer(socket.create_connection(self.proxy.upstream, IDLE_SECONDS))
        sent = [h for h in headers if h[0].lower() != 'expect']
        if self.proxy.tls:
            sent.append(('X-Forwarded-Proto', 'https'))
        self.upstream.send(head_bytes(first, sent))
        for raw in self.request_body(seen, headers, rule):
            self.upstream.send(raw)
        status_line, reply = self.upstream.head()
        seen.status = int(status_line.split(' ', 2)[1])
        reply = self.altered(rule, reply)
        self.client.send(head_bytes(status_line, reply))
        self.relay(rule, self.upstream.body(reply, seen.status, seen.method))
        if rule and rule.do == 'short':
            raise Ended

    @staticmethod
    def altered(rule, reply):
        """The answer's headers after a `location`, `headers` or `short` rule."""
        if not rule:
            return reply
        if rule.do == 'location':
            return [(n, rule.to + '/' + v.split('/', 3)[3] if n.lower() == 'location' else v)
                    for n, v in reply]
        if rule.do == 'headers':
            named = {n.lower() for n in rule.headers}
            return ([h for h in reply if h[0].lower() not in named]
                    + [(n, v) for n, v in rule.headers.items() if v is not None])
        return reply

    def relay(self, rule, pieces):
        """Pass an answer's body on, with the rule's fault."""
        done, do = 0, rule.do if rule and rule.where == 'answer' else ''
        for raw, data in pieces:
            if do in ('cut', 'reset', 'stall', 'short') and done + len(data) > rule.bytes:
                self.client.send(raw[:max(0, rule.bytes - done)])
                if do == 'reset':
                    time.sleep(TICK)
                    self.client.reset()
                if do == 'stall':
                    self.wait_for_end()
                raise Ended
            if do == 'wrong' and done <= rule.bytes < done + len(data):
                at = rule.bytes - done
                raw = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]
            if do == 'slow':
                self.send_slowly(raw, rule.rate)
            else:
                self.client.send(raw)
            done += len(data)

    def send_slowly(self, data, rate):
        """Send with about `rate` bytes a second."""
        step = max(1, int(rate * TICK))
        for at in range(0, len(data), step):
            self.client.send(data[at:at + step])
            if self.proxy.ending.wait(TICK):
                raise Ended

    def wait_for_end(self):
        """Do nothing until the client has gone or the proxy ends."""
        self.client.sock.settimeout(TICK)
        while not self.proxy.ending.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.client.sock.recv(1, socket.MSG_PEEK):
                    break
                time.sleep(TICK)
        raise Ended


class FaultProxy:
    """The running proxy; a context manager. `rules` can be replaced while it runs.

    upstream  `host:port`, or None: there is only what the rules answer
    tls       an Authority: https to the client; or an ssl.SSLContext
    name      host name that `host` gives, to be another host than 127.0.0.1
    """

    def __init__(self, upstream=None, rules=(), *, tls=None, name='127.0.0.1'):
        self.upstream = None
        if upstream:
            host, _, port = upstream.rpartition(':')
            self.upstream = (host, int(port))
        self.rules, self.log, self.name = Rules(rules), [], name
        self.tls = tls.context('proxy') if hasattr(tls, 'context') else tls
        self.ending = threading.Event()
        self.threads, self.sockets, self.lock = [], set(), threading.Lock()

    @property
    def host(self):
        """`NAME:PORT`."""
        return f'{self.name}:{self.port}'

    @property
    def url(self):
        """Scheme and host."""
        return f'{"https" if self.tls else "http"}://{self.host}'

    def requests(self, method='', part=''):
        """Logged requests with this method (if given) and this text in their target."""
        return [s for s in self.log if method in ('', s.method) and part in s.target]

    def _accept(self):
        while not self.ending.is_set():
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        with self.lock:
            self.sockets.add(sock)
        try:
            sock.settimeout(IDLE_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            elif sock.recv(1, socket.MSG_PEEK) == b'\x16':
                sock.sendall(b'HTTP/1.0 400 Bad Request\r\n\r\n')  # as a Go server does
                return
            Connection(self, sock).run()
        except OSError:
            pass
        finally:
            sock.close()

    def start(self):
        """Listen."""
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.listener.settimeout(TICK)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()
        return self

    def stop(self):
        """End all connections."""
        self.ending.set()
        self.acceptor.join()
        self.listener.close()
        with self.lock:
            for sock in self.sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(2)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def main():
    """Run one proxy for a shell script until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('upstream')
    parser.add_argument('rules', nargs='?', default='[]', help='a JSON array')
    args = parser.parse_args()
    proxy = FaultProxy(args.upstream)
    proxy.rules.load(args.rules)
    with contextlib.suppress(KeyboardInterrupt), proxy:
        print(f'HOST={proxy.host}', flush=True)
        while True:
            time.sleep(1)
    return 0


if __name__ == '__main__':
    sys.exit(main())
