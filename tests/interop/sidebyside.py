"""python-dxf's command and ours run the same scenarios on one registry; what they print is compared."""

import os

from fake.client import digest_of

SAME_STDERR = 2  # argparse's usage errors are the same to the byte; tracebacks are not

# One scenario is a list of steps in a repository of its own: {r} is the repository, {a} {b} are files,
# {A} {B} their digests, {other} a repository that holds {A}. A step may end in `< text` for stdin, where
# `< out` is the output of the step before.
SCENARIOS = {
    'push and pull': [
        'push-blob {r} {a}', 'push-blob {r} {a}', 'pull-blob {r} {A}', 'blob-size {r} {A}',
        'pull-blob {r} {A} {A}', 'pull-blob {r} {B}', 'blob-size {r} {B}',
        'push-blob {r} {empty}', 'pull-blob {r} {E}', 'blob-size {r} {E} {A}'],
    'aliases': [
        'push-blob {r} {a} @one', 'push-blob {r} {b} @two', 'get-alias {r} one', 'get-alias {r} one two',
        'get-digest {r} one two', 'get-manifest {r} one', 'set-alias {r} both {A} {B}',
        'set-alias {r} files {a} {b}', 'get-alias {r} both', 'get-manifest {r} both files',
        'pull-blob {r} @both', 'pull-blob {r} @one {B}', 'blob-size {r} @both', 'blob-size {r} @both {A}',
        'list-aliases {r}', 'get-alias {r} nope', 'get-alias {r} one nope', 'get-manifest {r} one nope',
        'set-alias {r} one {B}', 'get-alias {r} one', 'del-alias {r} one', 'get-alias {r} one two',
        'del-alias {r} nope', 'list-aliases {r}'],
    'manifests on standard input': [
        'push-blob {r} {a} @one', 'get-manifest {r} one', 'get-alias {r} < out',
        'get-manifest {r} one', 'get-digest {r} < out', 'get-manifest {r} one', 'blob-size {r} < out',
        'get-manifest {r} one', 'pull-blob {r} < out', 'get-manifest {r} one', 'del-blob {r} < out',
        'pull-blob {r} {A}'],
    'mount and delete': [
        'mount-blob {r} {other} {A}', 'pull-blob {r} {A}', 'mount-blob {r} {other} {A} @m',
        'get-alias {r} m', 'del-blob {r} {A}', 'pull-blob {r} {A}', 'del-blob {r} {A}',
        'mount-blob {r} {other}'],
    'usage': [
        '--help', 'push-blob --help', 'frob', 'push-blob', 'push-blob {r}', 'push-blob {r} {a} one',
        'push-blob {r} {a} @x y', 'pull-blob {r} --frob', 'list-repos x', 'list-aliases {r} x',
        'set-alias {r} x', 'get-digest', 'mount-blob {r} a', 'list-aliases -- {r}', 'push {r} {a}'],
    'errors': [
        'list-aliases {r}', 'push-blob {r} {a}x', 'pull-blob {r} sha256:abcd', 'pull-blob {r} hello',
        'get-alias {r} @x', 'list-aliases UPPER', 'blob-size {r} {A}', 'del-blob {r} {A}',
        'set-alias {r} x {A}', 'auth {r}', 'auth {r} pull'],
}


def words_of(step, names):
    """Arguments of a step, and what stdin is."""
    line, _, stdin = step.partition(' < ')
    return [word.format(**names) for word in line.split()], stdin


def play(program, steps, names):
    """Run a scenario: [(step, exit, stdout, stderr if it counts)]."""
    seen, last = [], b''
    for step in steps:
        args, stdin = words_of(step, names)
        result = program.run(*args, stdin=last if stdin == 'out' else b'',
                             cwd=names['cwd'], env={'COLUMNS': '80'})
        last = result.out
        usage = result.code == SAME_STDERR and result.err.startswith('usage:')
        seen.append((step, result.code, result.out, result.err if usage else ''))
    return seen


def compare(ours, theirs, steps, names):
    """Both play; the first difference is raised."""
    want = play(theirs, steps, dict(names, r=f'{names["r"]}-x'))
    # the same repository name again would meet what the first left, so another of the same length
    got = play(ours, steps, dict(names, r=f'{names["r"]}-y'))
    for left, right in zip(want, got):
        assert left == right, f'{left[0]!r}:\n  python-dxf {left[1:]}\n  ours       {right[1:]}'


def side_by_side(s, version):
    """All scenarios against one version of python-dxf."""
    for name, steps in SCENARIOS.items():
        names = {'cwd': s.directory, 'r': f'side/{version}/{name.replace(" ", "-")}',
                 'other': f'side/{version}/other'}
        for key, size in (('a', 3000), ('b', 70_000), ('empty', 0)):
            path, data = s.file(size)
            names[key] = './' + os.path.basename(path)
            names[key[0].upper()] = digest_of(data)
        s.dxf.run('push-blob', names['other'], os.path.join(s.directory, names['a'])).ok()
        s.check(f'side by side with python-dxf {version}: {name}',
                lambda t, n=names, st=steps: compare(t.dxf, t.python_dxf(version), st, n))
