"""Fixtures of the system tests: programs, registries, the fault proxy, data.

All temporary files lie in one directory that is removed at the end; servers end with their fixtures.
"""

import contextlib
import http.client
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.dont_write_bytecode = True

from fake.client import Davit, Dxf, digest_of  # noqa: E402
from fake.faultproxy import FaultProxy  # noqa: E402
from fake.registries import PASSWORD, USER, Registry  # noqa: E402
from fake.tls import Authority  # noqa: E402
from fake.tokenserver import TokenServer  # noqa: E402

TMPDIR = os.environ.get('TMPDIR')


def pytest_configure(config):
    """Everything temporary, servers' directories too, goes below one directory."""
    config.davit_tmp = tempfile.mkdtemp(prefix='davit-tests-')
    os.environ['TMPDIR'] = tempfile.tempdir = os.path.join(config.davit_tmp, 'tmp')
    os.mkdir(tempfile.tempdir)
    if not config.option.basetemp:
        config.option.basetemp = os.path.join(config.davit_tmp, 'base')


def pytest_sessionfinish(session):
    """After all fixtures have ended, no process and no directory of a server is left."""
    left = os.listdir(tempfile.tempdir)
    with contextlib.suppress(ChildProcessError):
        left.append(f'a child process: {os.waitpid(-1, os.WNOHANG)}')
    if left:
        print(f'\nleft behind by the tests: {left}', file=sys.stderr)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    """Remove that directory."""
    shutil.rmtree(config.davit_tmp, ignore_errors=True)
    if TMPDIR is None:
        os.environ.pop('TMPDIR', None)
    else:
        os.environ['TMPDIR'] = TMPDIR


@pytest.fixture
def home(tmp_path):
    """An empty home directory."""
    path = tmp_path / 'home'
    path.mkdir()
    return path


@pytest.fixture
def work(tmp_path):
    """An empty directory for results."""
    path = tmp_path / 'work'
    path.mkdir()
    return path


@pytest.fixture
def davit(home):
    """The davit command."""
    return Davit(home)


@pytest.fixture
def dxf(home):
    """Makes the dxf command for a registry or proxy."""
    return lambda registry, **env: Dxf(home, registry, **env)


@pytest.fixture(scope='session')
def registry():
    """A plain registry, shared by all tests: use repositories of your own."""
    with Registry() as r:
        yield r


@pytest.fixture(scope='session')
def authority(tmp_path_factory):
    """A certificate authority that no system trusts."""
    return Authority(tmp_path_factory.mktemp('ca'))


@pytest.fixture(scope='session')
def secured(authority):
    """https and htpasswd; users fred, and anna with a password that netrc can hold."""
    with Registry(users={USER: PASSWORD, 'anna': 'simple'}, tls=authority) as r:
        yield r


@pytest.fixture(scope='session')
def nodelete():
    """Deleting is switched off."""
    with Registry(delete=False) as r:
        yield r


@pytest.fixture
def tokens(authority):
    """A token server with fred, who may do all, and bob, who may only read."""
    users = {USER: {'password': PASSWORD, 'identity': 'identity-of-fred'},
             'bob': {'password': 'b', 'repos': {'*': ['pull']}}}
    with TokenServer(users=users, tls=authority) as t:
        yield t


@pytest.fixture
def tokened(tokens, authority):
    """https and token authentication."""
    with Registry(tokens=tokens, tls=authority) as r:
        yield r


@pytest.fixture
def proxy(registry):
    """The fault proxy in front of the plain registry; set its rules with proxy.rules.set()."""
    with FaultProxy(registry.host) as p:
        yield p


@pytest.fixture
def other():
    """Another host (by name): a proxy without upstream, whose log shows what reached it."""
    with FaultProxy(name='localhost') as p:
        yield p


class Blob:
    """A file with content of its own and its digest."""

    def __init__(self, path, data):
        self.path, self.data, self.digest = path, data, digest_of(data)
        path.write_bytes(data)


@pytest.fixture
def blob(tmp_path):
    """Makes blobs: blob(size). The same size gives other bytes each time."""
    def make(size=100_000):
        make.count += 1
        return Blob(tmp_path / f'blob-{make.count}', os.urandom(size))
    make.count = 0
    return make


@pytest.fixture
def repo(request):
    """A repository name of this test."""
    name = ''.join(c if c.isalnum() else '-' for c in request.node.name.lower())
    return 't/' + '-'.join(part for part in name.split('-') if part)


@pytest.fixture
def stored(registry, repo, blob):
    """A blob that is in the plain registry already, put there without davit."""
    return lambda size=100_000: put_blob(registry, repo, blob(size))


def put_blob(registry, repo, item):
    """Store a blob over HTTP with Python's own client."""
    http_put(registry.host, f'/v2/{repo}/blobs/uploads/', item.data, item.digest)
    return item


def http_put(host, uploads, data, digest):
    """POST and PUT of one blob."""
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request('POST', uploads, headers={'Content-Length': '0'})
    reply = connection.getresponse()
    reply.read()
    location = reply.headers['Location'].split(host, 1)[-1]
    connection.request('PUT', f'{location}&digest={digest}', body=data)
    reply = connection.getresponse()
    assert reply.status == 201, reply.read()
    reply.read()
    connection.close()
