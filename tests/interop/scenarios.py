"""All interop scenarios: what each client writes, the others read.

python3 -m interop.scenarios CACHE [MISSING…]   see run.sh
"""

import contextlib
import json
import os
import sys
import tempfile
import traceback

from fake.client import Davit, Dxf, Program, digest_of, run
from fake.faultproxy import FaultProxy
from fake.registries import Registry

from interop.sidebyside import side_by_side

V2_REFUSED = {'do': 'answer', 'method': 'PUT', 'path': '/manifests/', 'status': 400, 'times': 1,
              'body': '{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}'}
DXF_VERSIONS = ('11.4.0', '12.1.1')


class Scenarios:
    """Counts and tells what passed."""

    def __init__(self, cache, directory, registry):
        self.cache, self.directory, self.registry = cache, directory, registry
        self.passed = self.failed = 0
        self.files = 0
        self.davit = Davit(directory)
        self.dxf = Dxf(directory, registry)

    def check(self, name, function, *args):
        """Run one scenario."""
        try:
            function(self, *args)
        except Exception as ex:  # a scenario must not end the others
            self.failed += 1
            text = str(ex) or ''.join(traceback.format_exc().splitlines(True)[-3:])
            print(f'FAILED  {name}\n        ' + text.replace('\n', '\n        '))
        else:
            self.passed += 1
            print(f'passed  {name}')

    def file(self, size=20_000):
        """Path and content of a new file."""
        self.files += 1
        path = os.path.join(self.directory, f'file{self.files}')
        data = os.urandom(size)
        with open(path, 'wb') as f:
            f.write(data)
        return path, data

    def tool(self, name):
        """A client of the cache."""
        return Program(os.path.join(self.cache, 'bin', name), self.directory)

    def python_dxf(self, version, registry=None):
        """python-dxf's command."""
        path = os.path.join(self.cache, f'dxf-{version}/bin/dxf')
        return Dxf(self.directory, registry or self.registry, path)

    def out(self, program, *args, **how):
        """Output of a program that must succeed."""
        return program.run(*args, **how).ok().out

    def repo(self, name):
        """HOST/NAME."""
        return f'{self.registry.host}/{name}'


def same(what, got, want):
    """Equal, or a message."""
    if got != want:
        raise AssertionError(f'{what}: got {got[:300]!r}, want {want[:300]!r}')


# How each client reads: blob bytes, manifest bytes, digest of a tag, tags.
READERS = {
    'davit': {
        'blob': lambda repo, digest: Davit.pull(repo, digest),
        'manifest': lambda repo, tag: Davit.manifest('get', f'{repo}:{tag}'),
        'tags': lambda repo: Davit.tags(repo, '--format', 'json'),
    },
    'crane': {
        'blob': lambda repo, digest: ('blob', '--insecure', f'{repo}@{digest}'),
        'manifest': lambda repo, tag: ('manifest', '--insecure', f'{repo}:{tag}'),
        'tags': lambda repo: ('ls', '--insecure', repo),
        'digest': lambda repo, tag: ('digest', '--insecure', f'{repo}:{tag}'),
    },
    'oras': {
        'blob': lambda repo, digest: ('blob', 'fetch', '--plain-http', '--output', '-',
                                      f'{repo}@{digest}'),
        'manifest': lambda repo, tag: ('manifest', 'fetch', '--plain-http', f'{repo}:{tag}'),
        'tags': lambda repo: ('repo', 'tags', '--plain-http', repo),
        'digest': lambda repo, tag: ('resolve', '--plain-http', f'{repo}:{tag}'),
    },
    'regctl': {
        'blob': lambda repo, digest: ('--host', f'reg={repo.split("/")[0]},tls=disabled', 'blob',
                                      'get', repo, digest),
        'manifest': lambda repo, tag: ('--host', f'reg={repo.split("/")[0]},tls=disabled',
                                       'manifest', 'get', '--format', 'raw-body', f'{repo}:{tag}'),
        'tags': lambda repo: ('--host', f'reg={repo.split("/")[0]},tls=disabled', 'tag', 'ls', repo),
        'digest': lambda repo, tag: ('--host', f'reg={repo.split("/")[0]},tls=disabled',
                                     'manifest', 'head', f'{repo}:{tag}'),
    },
}


def reads_davit(s, name):
    """The client reads blobs, manifest, digest and tag that davit wrote."""
    repo, reader, program = s.repo(f'davit-{name}'), READERS[name], s.tool(name)
    digests = []
    for _ in range(2):
        path, data = s.file()
        s.out(s.davit, *Davit.push(repo, path))
        digests.append(digest_of(data))
        same('blob', s.out(program, *reader['blob'](repo, digests[-1])), data)
    s.out(s.davit, *Davit.alias('set', repo, 'both', *digests))
    manifest = s.out(s.davit, *Davit.manifest('get', f'{repo}:both'))
    same('manifest', s.out(program, *reader['manifest'](repo, 'both')).rstrip(b'\n'), manifest)
    same('digest', s.out(program, *reader['digest'](repo, 'both')).decode().strip(),
         digest_of(manifest))
    same('tags', s.out(program, *reader['tags'](repo)).split(), [b'both'])
    same('layers', [x['digest'] for x in json.loads(manifest)['layers']], digests)


def davit_reads(s, repo, program, reader, tag):
    """davit and dxf read an image or artifact that another client wrote."""
    manifest = s.out(program, *reader['manifest'](repo, tag))
    ours = s.out(s.davit, *Davit.manifest('get', f'{repo}:{tag}'))
    same('manifest', ours.rstrip(b'\n'), manifest.rstrip(b'\n'))
    listed = s.out(s.davit, *Davit.tags(repo)).decode().split()
    assert tag in listed, f'{tag} is not in {listed}'
    name = repo.partition('/')[2]
    layers = json.loads(manifest)['layers']
    for layer in layers:
        data = s.out(program, *reader['blob'](repo, layer['digest']))
        same('layer', s.out(s.davit, *Davit.pull(repo, layer['digest'])), data)
        assert digest_of(data) == layer['digest']
    wanted = ''.join(x['digest'] + '\n' for x in layers)
    same('get-alias', s.out(s.dxf, 'get-alias', name, tag).decode(), wanted)


def crane_writes(s):
    """An image by crane append."""
    repo, crane = s.repo('by-crane'), s.tool('crane')
    path, _ = s.file()
    layer = path + '.tar'
    run(['tar', '-C', s.directory, '-cf', layer, os.path.basename(path)]).ok()
    s.out(crane, 'append', '--insecure', '--oci-empty-base', '-f', layer, '-t', f'{repo}:v1')
    davit_reads(s, repo, crane, READERS['crane'], 'v1')
    s.out(crane, 'validate', '--insecure', '--remote', f'{repo}:v1')
    s.out(s.davit, *Davit.manifest('rm', f'{repo}@' + s.out(
        crane, 'digest', '--insecure', f'{repo}:v1').decode().strip()))
    assert crane.run('digest', '--insecure', f'{repo}:v1').code != 0, 'still there'


def oras_writes(s):
    """An artifact and a blob by oras; oras pulls what davit put under the same manifest."""
    repo, oras = s.repo('by-oras'), s.tool('oras')
    path, data = s.file()
    s.out(oras, 'push', '--plain-http', '--artifact-type', 'application/vnd.example',
          f'{repo}:v1', os.path.basename(path), cwd=s.directory)
    davit_reads(s, repo, oras, READERS['oras'], 'v1')
    other, more = s.file()
    s.out(oras, 'blob', 'push', '--plain-http', repo, other)
    same('blob', s.out(s.davit, *Davit.pull(repo, digest_of(more))), more)
    manifest = os.path.join(s.directory, 'manifest.json')
    s.out(s.davit, *Davit.manifest('get', f'{repo}:v1', '-o', manifest))
    s.out(s.davit, *Davit.manifest('put', f'{repo}:v2', manifest))
    target = os.path.join(s.directory, 'oras-out')
    s.out(oras, 'pull', '--plain-http', '-o', target, f'{repo}:v2')
    with open(os.path.join(target, os.path.basename(path)), 'rb') as f:
        same('pulled', f.read(), data)


def regctl_writes(s):
    """An artifact, a blob and an index by regctl."""
    repo, regctl = s.repo('by-regctl'), s.tool('regctl')
    host = ('--host', f'reg={s.registry.host},tls=disabled')
    path, _ = s.file()
    s.out(regctl, *host, 'artifact', 'put', '--artifact-type', 'application/vnd.example', '-f', path,
          f'{repo}:v1')
    davit_reads(s, repo, regctl, READERS['regctl'], 'v1')
    _, data = s.file()
    s.out(regctl, *host, 'blob', 'put', repo, stdin=data)
    same('blob', s.out(s.davit, *Davit.pull(repo, digest_of(data))), data)


def index(s):
    """An index with two platforms, made by regctl: one is chosen by platform."""
    repo, regctl = s.repo('index'), s.tool('regctl')
    host = ('--host', f'reg={s.registry.host},tls=disabled')
    digests = {}
    for arch in ('amd64', 'arm64'):
        path, data = s.file(500)
        s.out(s.dxf, 'push-blob', 'index', path, f'@{arch}')
        digests[f'linux/{arch}'] = [digest_of(data)]
    add = [a for arch in ('amd64', 'arm64') for a in ('--ref', f'{repo}:{arch}',
                                                      '--desc-platform', f'linux/{arch}')]
    s.out(regctl, *host, 'index', 'create', f'{repo}:all', *add[:2], *add[2:4])
    s.out(regctl, *host, 'index', 'add', f'{repo}:all', *add[4:])
    want = s.out(s.python_dxf('12.1.1'), 'get-alias', 'index', 'all')
    same('get-alias', s.out(s.dxf, 'get-alias', 'index', 'all'), want)
    for platform, wanted in digests.items():
        got = s.out(s.dxf, 'get-alias', 'index', 'all', env={'DXF_PLATFORM': platform})
        same(platform, got.decode().split(), wanted)
        got = s.out(s.davit, *Davit.alias('get', repo, 'all', '--platform', platform))
        assert wanted[0] in got.decode(), (platform, got)


def skopeo(s):
    """skopeo reads the raw manifest and copies an image to where davit reads it."""
    repo, program = s.repo('skopeo'), Program('/usr/bin/skopeo', s.directory)
    path, _ = s.file()
    s.out(s.dxf, 'push-blob', 'skopeo', path, '@x')
    same('manifest', s.out(program, 'inspect', '--raw', '--tls-verify=false', f'docker://{repo}:x'),
         s.out(s.davit, *Davit.manifest('get', f'{repo}:x')))


def dxf_both_ways(s, version):
    """One repository: either writes, both read the same."""
    python = s.python_dxf(version)
    for n, (writer, reader) in enumerate(((python, s.dxf), (s.dxf, python))):
        name = f'both-{version}-{n}'
        path, data = s.file()
        more, data2 = s.file()
        d1 = s.out(writer, 'push-blob', name, path, '@one').decode().strip()
        d2 = s.out(writer, 'push-blob', name, more).decode().strip()
        s.out(writer, 'set-alias', name, 'two', d2, d1)
        same('digest', d1, digest_of(data))
        same('blob', s.out(reader, 'pull-blob', name, d1), data)
        same('alias', s.out(reader, 'pull-blob', name, '@two'), data2 + data)
        for args in (('get-alias', name, 'one', 'two'), ('get-digest', name, 'two'),
                     ('get-manifest', name, 'two'), ('blob-size', name, '@two', d1),
                     ('list-aliases', name)):
            same(' '.join(args), s.out(reader, *args), s.out(writer, *args))
        same('davit', s.out(s.davit, *Davit.pull(s.repo(name), d1)), data)
        s.out(reader, 'del-alias', name, 'one')
        assert writer.run('get-alias', name, 'one').code == 2


def schema1(s, ours_writes):
    """Signed schema 1: written by one, verified by the other (python-dxf 11.4.0)."""
    with Registry(schema1=True) as old, FaultProxy(old.host) as front:
        ours, python = Dxf(s.directory, front), s.python_dxf('11.4.0', front)
        writer, reader = (ours, python) if ours_writes else (python, ours)
        path, data = s.file()
        front.rules.set(V2_REFUSED)
        digest = s.out(writer, 'push-blob', 'old', path, '@x').decode().strip()
        manifest = json.loads(s.out(reader, 'get-manifest', 'old', 'x'))
        assert manifest['schemaVersion'] == 1 and manifest['signatures'], manifest
        same('get-alias', s.out(reader, 'get-alias', 'old', 'x').decode(), digest + '\n')
        same('pull-blob', s.out(reader, 'pull-blob', 'old', '@x'), data)
        same('blob-size', s.out(reader, 'blob-size', 'old', '@x'), b'20000\n')


def main():
    """Run all; the last line counts."""
    cache, missing = sys.argv[1], sys.argv[2:]
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix='davit-interop-'))
        s = Scenarios(cache, directory, stack.enter_context(Registry()))
        for name in ('crane', 'oras', 'regctl'):
            if name not in missing:
                s.check(f'{name} reads what davit wrote', reads_davit, name)
        for name, function in (('crane', crane_writes), ('oras', oras_writes),
                               ('regctl', regctl_writes)):
            if name not in missing:
                s.check(f'davit and dxf read what {name} wrote', function)
        if not {'regctl', 'python-dxf-12.1.1'} & set(missing):
            s.check('an index, by platform', index)
        s.check('skopeo reads what davit wrote', skopeo)
        for version in DXF_VERSIONS:
            if f'python-dxf-{version}' not in missing:
                s.check(f'python-dxf {version} and dxf, both ways', dxf_both_ways, version)
                side_by_side(s, version)
        if 'python-dxf-11.4.0' not in missing:
            s.check('schema 1: python-dxf verifies ours', schema1, True)
            s.check('schema 1: we verify python-dxf\'s', schema1, False)
        for name in missing:
            s.failed += 1
            print(f'FAILED  {name} could not be installed: see above')
    print(f'{s.passed} passed, {s.failed} failed')
    return 1 if s.failed else 0


if __name__ == '__main__':
    sys.exit(main())
