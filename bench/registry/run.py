#!/usr/bin/python3
"""Speed and memory of davit and dxf at a registry, as ratios to curl, openssl, skopeo and python-dxf.

bench/registry/run.py [--build DIR] [--write FILE] [PART…]      parts: pull push small memory others

All runs of a comparison are in turn, in one go; times are medians. BENCH_MIB (1024), BENCH_BIG_MIB
(4096), BENCH_RUNS (5) and BENCH_SMALL_RUNS (200) make it shorter. Exit 1: something is over its limit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, '../..'))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
sys.dont_write_bytecode = True

from fake.client import Davit, Dxf, Program, build_dir  # noqa: E402
from fake.registries import Registry  # noqa: E402
from measure import Failed, Table, in_turn, once, rewrite, settle  # noqa: E402

MIB = int(os.environ.get('BENCH_MIB', '1024'))
BIG_MIB = int(os.environ.get('BENCH_BIG_MIB', '4096'))
RUNS = int(os.environ.get('BENCH_RUNS', '5'))
SMALL_RUNS = int(os.environ.get('BENCH_SMALL_RUNS', '200'))
PYTHON_DXF = '12.1.1'
ACCEPT = 'Accept: application/vnd.docker.distribution.manifest.v2+json'
CURL_PUSH = '''url=$(curl -sS -X POST -H 'Content-Length: 0' -o /dev/null -w '%{redirect_url}%header{location}' \
"$1") && exec curl -sS -f -X PUT -T "$2" -H 'Content-Type: application/octet-stream' "$url&digest=$3"'''


class Bench:
    """A registry with one blob of MIB, and the programs."""

    def __init__(self, registry, directory):
        self.registry, self.table = registry, Table()
        self.davit, self.dxf = Davit(directory), Dxf(directory, registry)
        self.env = self.davit.env | {'DXF_HOST': registry.host, 'DXF_INSECURE': '1'}
        self.curl = Program('curl', directory)
        self.count = 0

    def repo(self):
        """A repository name that was not used."""
        self.count += 1
        return f'{self.registry.host}/bench/r{self.count}'

    def url(self, repo, rest):
        """URL below a repository given as HOST/NAME."""
        host, _, name = repo.partition('/')
        return f'http://{host}/v2/{name}/{rest}'

    def make(self, name, mib):
        """A file of random bytes; path, digest."""
        subprocess.run(f'head -c {mib}M /dev/urandom > {name}', shell=True, check=True)
        text = subprocess.run(['openssl', 'dgst', '-sha256', '-r', name], check=True,
                              capture_output=True).stdout.decode()
        return name, 'sha256:' + text.split()[0]

    def curl_push(self, repo, path, digest):
        """argv: POST and PUT by curl."""
        return ['sh', '-c', CURL_PUSH, 'sh', self.url(repo, 'blobs/uploads/'), path, digest]

    def ours(self, *args, **how):
        """One run of davit."""
        return once(self.davit.command(*args), self.env, **how)

    def theirs(self, *argv, **how):
        """One run of another program."""
        return once(list(argv), self.env, **how)


def measure_pull(b):
    """1 GiB from the registry to a file."""
    path, digest = b.make('blob', MIB)
    repo = b.repo()
    b.ours(*Davit.push(repo, path, '-q'))
    url = b.url(repo, f'blobs/{digest}')

    def fresh(function, *args, **how):
        def run():
            settle('out')
            return function(*args, **how)
        return run
    found = in_turn(
        RUNS,
        davit=fresh(b.ours, *Davit.pull(repo, digest, 'out', '-q')),
        dxf=fresh(once, b.dxf.command('pull-blob', repo.partition('/')[2], digest), b.env,
                  stdout='out'),
        curl=fresh(b.theirs, 'curl', '-sS', '-o', 'out', url),
        synced=fresh(b.theirs, 'sh', '-c', 'curl -sS -o out "$0" && sync out', url),
        digest=lambda: b.theirs('openssl', 'dgst', '-sha256', path))
    slower = max(found['synced'].wall, found['digest'].wall)
    size = f'{MIB} MiB'
    b.table.ratio(f'pull {size}, CPU: davit to curl + openssl dgst', found['davit'].cpu,
                  found['curl'].cpu + found['digest'].cpu, 1.15)
    b.table.ratio(f'pull {size}, wall: davit to the slower of curl && sync and openssl dgst',
                  found['davit'].wall, slower, 1.10)
    b.table.ratio(f'pull {size}, CPU: dxf to curl + openssl dgst', found['dxf'].cpu,
                  found['curl'].cpu + found['digest'].cpu, 1.15)
    settle('out')


def measure_push(b):
    """1 GiB from a file and from a pipe."""
    path, digest = b.make('blob', MIB)

    def davit_file():
        settle()
        return b.ours(*Davit.push(b.repo(), path, '-q'))

    def digest_and_curl():
        settle()
        one = b.theirs('openssl', 'dgst', '-sha256', path)
        two = b.theirs(*b.curl_push(b.repo(), path, digest))
        return type(one)(one.wall + two.wall, one.cpu + two.cpu)

    def davit_stream():
        settle()
        argv = b.davit.command(*Davit.push(b.repo(), '-', '-q'))
        return b.theirs('sh', '-c', 'cat "$0" | "$@"', path, *argv)

    def curl_stream():
        settle()
        repo = b.repo()
        argv = b.curl_push(repo, '-', digest)
        return b.theirs('sh', '-c', 'cat "$0" | "$@"', path, *argv)
    found = in_turn(RUNS, file=davit_file, curl=digest_and_curl, stream=davit_stream,
                    curl_stream=curl_stream)
    size = f'{MIB} MiB'
    b.table.ratio(f'push {size} from a file, wall: davit to openssl dgst + curl POST, PUT',
                  found['file'].wall, found['curl'].wall, 1.10)
    b.table.ratio(f'push {size} from a pipe, wall: davit to curl PUT', found['stream'].wall,
                  found['curl_stream'].wall, 1.10)
    settle(path)


def small_alias(b):
    """A repository with one small blob under the alias x; HOST/NAME and NAME."""
    repo = b.repo()
    with open('small', 'wb') as f:
        f.write(b'small\n')
    b.ours(*Davit.push(f'{repo}:x', 'small', '-q'))
    return repo, repo.partition('/')[2]


def measure_small(b):
    """A manifest, and --version."""
    repo, _ = small_alias(b)
    url = b.url(repo, 'manifests/x')
    found = in_turn(SMALL_RUNS, davit=lambda: b.ours(*Davit.manifest('get', f'{repo}:x')),
                    curl=lambda: b.theirs('curl', '-sS', '-H', ACCEPT, url))
    b.table.ratio('manifest get, wall: davit to curl', found['davit'].wall, found['curl'].wall, 1.1)
    found = in_turn(SMALL_RUNS, davit=lambda: b.ours('--version'),
                    curl=lambda: b.theirs('curl', '--version'))
    b.table.ratio('--version, wall: davit to curl', found['davit'].wall, found['curl'].wall, 1.05)


def measure_memory(b):
    """Peak memory against curl, and small against large blobs; both ways, also dxf."""
    peaks = {}
    for mib in (1, BIG_MIB):
        path, digest = b.make('blob', mib)
        repo = b.repo()
        name = repo.partition('/')[2]
        url = b.url(repo, f'blobs/{digest}')
        for key, argv in (('davit push', b.davit.command(*Davit.push(repo, path, '-q'))),
                          ('dxf push', b.dxf.command('push-blob', name + 'd', path)),
                          ('curl push', b.curl_push(repo + 'c', path, digest)),
                          ('davit pull', b.davit.command(*Davit.pull(repo, digest, 'out', '-q'))),
                          ('dxf pull', b.dxf.command('pull-blob', name, digest)),
                          ('curl pull', ['curl', '-sS', '-o', 'out', url])):
            where = 'out' if key == 'dxf pull' else '/dev/null'
            peaks[key, mib] = once(argv, b.env, peak=True, stdout=where).peak
            settle('out')
    for way in ('pull', 'push'):
        for ours in ('davit', 'dxf'):
            b.table.above(f'peak memory, {way} {BIG_MIB} MiB: {ours} to curl',
                          peaks[f'{ours} {way}', BIG_MIB], peaks[f'curl {way}', BIG_MIB], 4096)
            b.table.apart(f'peak memory of {ours} {way}: {BIG_MIB} MiB to 1 MiB',
                          peaks[f'{ours} {way}', BIG_MIB], peaks[f'{ours} {way}', 1], 256)
    settle('blob')


def measure_others(b):
    """skopeo and python-dxf."""
    repo, name = small_alias(b)
    runs = max(3, SMALL_RUNS // 10)
    found = in_turn(runs, davit=lambda: b.ours(*Davit.manifest('get', f'{repo}:x')),
                    skopeo=lambda: b.theirs('skopeo', 'inspect', '--raw', '--tls-verify=false',
                                            f'docker://{repo}:x'))
    b.table.ratio('manifest, wall: davit to skopeo inspect --raw', found['davit'].wall,
                  found['skopeo'].wall, 0.65)
    script = os.path.join(ROOT, 'tests/interop/python-dxf.sh')
    python = subprocess.run([script, PYTHON_DXF], stdout=subprocess.PIPE, check=True)
    python = Dxf(b.env['HOME'], b.registry, python.stdout.decode().strip())
    for args in (('get-alias', name, 'x'), ('list-aliases', name), ('blob-size', name, '@x'),
                 ('push-blob', name, 'small')):
        found = in_turn(runs, ours=lambda a=args: once(b.dxf.command(*a), b.env),
                        theirs=lambda a=args: once(python.command(*a), b.env))
        b.table.ratio(f'{args[0]}, wall: dxf to python-dxf', found['ours'].wall,
                      found['theirs'].wall, 0.1)
    path, digest = b.make('blob', MIB)
    b.ours(*Davit.push(repo, path, '-q'))

    def pull(program):
        settle('out')
        return once(program.command('pull-blob', name, digest), b.env, stdout='out')
    found = in_turn(RUNS, ours=lambda: pull(b.dxf), theirs=lambda: pull(python))
    b.table.ratio(f'pull-blob {MIB} MiB, wall: dxf to python-dxf', found['ours'].wall,
                  found['theirs'].wall, 0.5)
    settle('out', path)


PARTS = {'pull': measure_pull, 'push': measure_push, 'small': measure_small,
         'memory': measure_memory, 'others': measure_others}


def machine():
    """One line about where this ran."""
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        model = next((ln.split(':', 1)[1].strip() for ln in f if ln.startswith('model name')), '?')
    return (f'{time.strftime("%Y-%m-%d")}, {os.cpu_count()} × {model}; medians of {RUNS} '
            f'(small operations: {SMALL_RUNS}), runs in turn.')


def main():
    """Run the parts; print and perhaps write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', help='where davit was built')
    parser.add_argument('--write', metavar='FILE', help='put the table between the markers of FILE')
    parser.add_argument('part', nargs='*', choices=[*PARTS, []], help='default: all')
    args = parser.parse_args()
    if args.build:
        os.environ['DAVIT_BUILD'] = args.build
    if not os.access(os.path.join(build_dir(), 'davit'), os.X_OK):
        sys.exit(f'bench: {build_dir()} has no davit; build it first')
    target = os.path.abspath(args.write) if args.write else None
    with tempfile.TemporaryDirectory(prefix='davit-bench-') as directory, Registry() as registry:
        os.chdir(directory)
        b = Bench(registry, directory)
        print(Table.HEAD, end='', flush=True)
        try:
            for part in args.part or PARTS:
                PARTS[part](b)
        except (Failed, subprocess.CalledProcessError) as ex:
            sys.exit(f'bench: {ex}')
        finally:
            os.chdir('/')
    if target:
        rewrite(target, f'{machine()}\n\n{b.table.text()}')
    print(json.dumps({'rows': len(b.table.rows), 'over': b.table.failed}))
    return 1 if b.table.failed else 0


if __name__ == '__main__':
    sys.exit(main())
