#!/usr/bin/python3
"""dxf_args: the command line of dxf against what Python's argparse made of it.

    dxf_args.py DXF FILE        run all cases of FILE (tests/data/dxf-args.json) with the command DXF
    dxf_args.py --record FILE   write FILE anew; needs Python 3.11, whose words are the measure

A case is [argv, columns, exit, stdout, stderr]. Where argparse is content, exit is 0 with empty
outputs, and the command, which is run without DXF_HOST, must then miss DXF_HOST or the operation.
In the texts {CHOICES} stands for the list of operations in braces.
"""

import argparse
import contextlib
import io
import json
import os
import random
import subprocess
import sys

OPS = ['auth', 'push-blob', 'pull-blob', 'blob-size', 'mount-blob', 'del-blob', 'set-alias',
       'get-alias', 'del-alias', 'get-digest', 'get-manifest', 'list-aliases', 'list-repos']
CHOICES = '{' + ','.join(OPS) + '}'
WORDS = ['-h', '--help', '--he', '-hx', '-h=x', '-hh', '-h=hx', '-h=', '--h=x', '--=q', '-x',
         '--foo', '--foo=1', '-1', '-1.5', '-.5', '-1.', '-', '', '--', '--', 'foo/bar', 'a', '@b',
         'c d', '-a b', "it's", 'it"s\'', 'tab\t', '\u00e9', 'push-blob', 'list-repos', 'x' * 50]
RANDOM_CASES = 250


def parser():
    """The parser of dxf 11.4.0 and 12.1.1."""
    main = argparse.ArgumentParser(prog='dxf')
    subs = main.add_subparsers(dest='op')
    for name in OPS:
        sub = subs.add_parser(name)
        if name != 'list-repos':
            sub.add_argument('repo')
            sub.add_argument('args', nargs='*')
    return main


def ask_argparse(argv, columns):
    """A case as argparse answers it."""
    out, err = io.StringIO(), io.StringIO()
    os.environ['COLUMNS'] = str(columns)
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            parser().parse_args(argv)
        except SystemExit as ex:
            code = ex.code
    return [argv, columns, code] + [t.getvalue().replace(CHOICES, '{CHOICES}') for t in (out, err)]


def record(path):
    """Write the cases: help of every operation, odd widths, random lines."""
    if sys.version_info[:2] != (3, 11):
        sys.exit('dxf_args: recording needs Python 3.11; later versions use other words')
    dice = random.Random(11)
    cases = [[[name, '-h'], 80] for name in OPS] + [[[name], 80] for name in OPS]
    cases += [[argv, columns] for columns in (1, 10, 20, 24, 33, 40, 158, 159, 160, 161, 162, 163, 200)
              for argv in (['-h'], ['push-blob', '-h'], ['list-repos', 'x'], ['get-manifest'])]
    for _ in range(RANDOM_CASES):
        argv = [dice.choice(WORDS) for _ in range(dice.randint(0, 6))]
        if dice.random() < 0.7:
            argv.insert(0, dice.choice(OPS))
        cases.append([argv, 80])
    lines = [json.dumps(ask_argparse(*case)) for case in cases]
    with open(path, 'w', encoding='utf-8') as f:
        f.write('[\n' + ',\n'.join(lines) + '\n]\n')


def difference(dxf, case):
    """What is wrong with one case, or None."""
    argv, columns, code, out, err = case
    out, err = out.replace('{CHOICES}', CHOICES), err.replace('{CHOICES}', CHOICES)
    env = {k: v for k, v in os.environ.items() if not k.startswith('DXF_')}
    run = subprocess.run([dxf] + argv, env={**env, 'COLUMNS': str(columns)}, check=False,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    got = (run.returncode, run.stdout.decode(), run.stderr.decode())
    if code or out or err:
        return None if got == (code, out, err) else f'expected {(code, out, err)!r}, got {got!r}'
    missing = 'DXF_HOST is not set' if set(argv) & set(OPS) else 'no operation given'
    good = got[:2] == (1, '') and got[2].startswith(f'dxf: error: {missing}')
    return None if good else f'expected to be told "{missing}", got {got!r}'


def main(argv):
    """0 if all cases passed."""
    if len(argv) == 2 and argv[0] == '--record':
        record(argv[1])
        return 0
    if len(argv) != 2:
        sys.exit(__doc__.strip())
    with open(argv[1], encoding='utf-8') as f:
        cases = json.load(f)
    failed = 0
    for case in cases:
        wrong = difference(os.path.abspath(argv[0]), case)
        if wrong:
            failed += 1
            print(f'FAILED {case[0]!r} at {case[1]} columns: {wrong}')
    print(f'{len(cases) - failed} passed, {failed} failed')
    return 1 if failed or not cases else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
