"""Whether a server on this machine is asked by https or by http: its answer to a TLS greeting decides."""

import contextlib
import http.server
import socket
import socketserver
import threading
import time

import pytest


class Pinged(http.server.BaseHTTPRequestHandler):
    """Says yes to everything; reads its requests line by line."""

    def do_GET(self):
        """A registry's answer to GET /v2/."""
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'{}')

    def log_message(self, *_):
        """Quiet."""


@contextlib.contextmanager
def serving(handler):
    """One connection after the other; gives HOST:PORT."""
    with http.server.HTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f'127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()


def test_server_that_reads_lines(davit):
    """Python's server waits for the end of a line: the greeting holds one, so nobody waits for long."""
    with serving(Pinged) as host:
        result = davit.run('registry', 'ping', host).ok()
    assert result.text == f'http://{host}\n' and result.seconds < 1


class Silent(Pinged):
    """Answers nothing but requests, and says nothing until then."""

    def handle(self):
        """Wait for the client to go, if it does not speak HTTP."""
        if self.connection.recv(3, socket.MSG_PEEK) == b'GET':
            super().handle()
        while self.connection.recv(100):
            pass


def test_silent_server(davit):
    """Silence is no TLS either, after three seconds."""
    with serving(Silent) as host:
        result = davit.run('registry', 'ping', host).ok()
    assert result.text == f'http://{host}\n' and 2.5 < result.seconds < 4.5


@pytest.mark.parametrize('more, seconds', [((), 5), (('--plain-http',), 2)])
def test_server_that_never_answers(davit, more, seconds):
    """The time limit of the call comes behind that; the question is asked once."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        begun = time.monotonic()
        davit.run('registry', 'ping', f'127.0.0.1:{server.getsockname()[1]}', '--timeout', '1s',
                  *more).fails(9, 'time')
        assert time.monotonic() - begun < seconds


@pytest.mark.parametrize('host, url', [
    ('localhost', 'http://localhost'), ('[::1]', 'http://[::1]'),
    ('[::1]:443', 'http://[::1]:443'), ('[::1]:81', 'http://[::1]:81')])
def test_http_port(davit, work, host, url):
    """Where TLS is not spoken the port becomes that of http, unless one was named."""
    path = str(work / 'socket')
    with socketserver.UnixStreamServer(path, Pinged) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        result = davit.run('registry', 'ping', host, '--unix-socket', path)
        server.shutdown()
        thread.join()
    result.ok()
    assert result.text == url + '\n'
