"""Debian's docker-registry on a free loopback port, with a configuration per case.

In Python:    with Registry(delete=False) as r: … r.host …
In a shell:   PYTHONPATH=tests python3 -m fake.registries plain
              prints `HOST=127.0.0.1:PORT` and other facts, and runs until it gets SIGTERM, SIGINT,
              or the process that started it has ended.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from fake.tls import Authority
from fake.tokenserver import TokenServer

SERVER = shutil.which('docker-registry') or '/usr/bin/docker-registry'
START_SECONDS = 20
STOP_SECONDS = 10
USER, PASSWORD = 'fred', 'S3cret:with colon'


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def htpasswd(users):
    """The text of an htpasswd file (bcrypt, the one form that docker-registry takes)."""
    lines = []
    for user, password in users.items():
        run = subprocess.run(['htpasswd', '-inBC', '4', user], input=password.encode(),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        lines.append(run.stdout.decode().strip())
    return '\n'.join(lines) + '\n'


class Registry:
    """One running docker-registry; a context manager.

    users   htpasswd authentication with this {user: password}
    tokens  a TokenServer that authenticates instead
    tls     an Authority: https, with a certificate of it
    delete  whether deleting is switched on
    schema1 whether Docker schema 1 manifests are accepted
    """

    def __init__(self, *, users=None, tokens=None, tls=None, delete=True, schema1=False):
        self.users, self.tokens, self.tls = users, tokens, tls
        self.delete, self.schema1 = delete, schema1
        self.directory = self.process = self.port = None

    @property
    def host(self):
        """`127.0.0.1:PORT`."""
        return f'127.0.0.1:{self.port}'

    @property
    def url(self):
        """Scheme and host."""
        return f'{"https" if self.tls else "http"}://{self.host}'

    @property
    def root(self):
        """The directory of the repositories."""
        return os.path.join(self.directory, 'data/docker/registry/v2/repositories')

    def uploads(self):
        """Upload sessions that are open, as paths. (A cancelled one may leave its folder behind with
        the state of a hash in it, when its body was still under way.)"""
        return [folder for folder, _, files in os.walk(self.root)
                if '/_uploads/' in folder and 'startedat' in files]

    def log(self):
        """What the server wrote."""
        with open(os.path.join(self.directory, 'log'), encoding='utf-8', errors='replace') as f:
            return f.read()

    def _config(self):
        http = {'addr': self.host, 'secret': 'one of this run', 'headers': {
            'X-Content-Type-Options': ['nosniff']}}
        config = {
            'version': '0.1', 'log': {'level': 'warn', 'accesslog': {'disabled': True}},
            'storage': {'filesystem': {'rootdirectory': os.path.join(self.directory, 'data')},
                        'delete': {'enabled': self.delete},
                        'maintenance': {'uploadpurging': {'enabled': False}}},
            'http': http, 'compatibility': {'schema1': {'enabled': self.schema1}}}
        if self.tls:
            certificate, key = self.tls.issue(f'registry-{self.port}')
            http['tls'] = {'certificate': certificate, 'key': key}
        if self.users:
            path = os.path.join(self.directory, 'htpasswd')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(htpasswd(self.users))
            config['auth'] = {'htpasswd': {'realm': 'davit tests', 'path': path}}
        if self.tokens:
            config['auth'] = {'token': {
                'realm': self.tokens.realm, 'service': self.tokens.service,
                'issuer': self.tokens.issuer, 'rootcertbundle': self.tokens.certificate}}
        return config

    def _launch(self):
        """Start on a fresh port; False if the server gave up (for instance: the port was taken)."""
        self.port = free_port()
        path = os.path.join(self.directory, 'config.yml')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(self._config(), f, indent=1)  # JSON is YAML
        with open(os.path.join(self.directory, 'log'), 'wb') as log:
            self.process = subprocess.Popen(
                [SERVER, 'serve', path], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={'PATH': os.defpath, 'OTEL_TRACES_EXPORTER': 'none'})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', self.port), 1):
                return True
            time.sleep(0.02)
        return False

    def start(self):
        """Start and wait until it listens."""
        self.directory = tempfile.mkdtemp(prefix='davit-registry-')
        try:
            for _ in range(3):
                if self._launch():
                    return self
                self._end()
            raise RuntimeError(f'docker-registry does not start:\n{self.log()}')
        except BaseException:
            self.stop()
            raise

    def _end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self):
        """End the server and remove its directory."""
        self._end()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


@contextlib.contextmanager
def open_case(name):
    """The registry of a named case, with what it needs: plain, htpasswd, token, tls, nodelete, schema1."""
    with contextlib.ExitStack() as stack:
        directory = tempfile.mkdtemp(prefix='davit-ca-')
        stack.callback(shutil.rmtree, directory, True)
        options = {'delete': name != 'nodelete', 'schema1': name == 'schema1'}
        if name in ('tls', 'token', 'htpasswd'):
            options['tls'] = Authority(directory)
        if name == 'htpasswd':
            options['users'] = {USER: PASSWORD}
        if name == 'token':
            options['tokens'] = stack.enter_context(
                TokenServer(users={USER: {'password': PASSWORD}}, tls=options['tls']))
        yield stack.enter_context(Registry(**options))


def leave(number, _):
    """Signal handler: clean up and end, once."""
    for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    """Run one case for a shell script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('case', choices=['plain', 'htpasswd', 'token', 'tls', 'nodelete', 'schema1'])
    case = parser.parse_args().case
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)
    with open_case(case) as registry:
        facts = {'HOST': registry.host, 'URL': registry.url}
        if registry.tls:
            facts['CA'] = registry.tls.ca
        for key, value in facts.items():
            print(f'{key}={value}', flush=True)
        print('READY=1', flush=True)
        while os.getppid() == parent and registry.process.poll() is None:
            time.sleep(0.2)


if __name__ == '__main__':
    main()
