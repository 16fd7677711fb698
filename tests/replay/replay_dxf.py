#!/usr/bin/python3
"""replay-dxf: run the recorded command lines of python-dxf against our dxf and compare.

For every step of a transcript (tests/data/dxf-cli.json is one) the recorded responses are served on
free loopback ports (plain and TLS, with a CA made for the run) and the command is run with the
recorded arguments, environment and stdin. Then these must be equal:

- exit code and stdout, to the byte;
- stderr: where dxf printed a traceback, ours is one line `dxf: error: ...`; a progress bar is
  compared by its first and last frame without times and rates; all else (usage errors) is exact;
- the requests, in order, in the parts that matter: listener and Host, method, path (compared
  percent-decoded), query, body, Authorization (also its absence), Accept of manifest requests (as a
  set), Content-Type of manifest PUTs (also its absence), Content-Length if a body of known size was
  sent with one. An empty body is the same in every framing. Not compared: User-Agent,
  Accept-Encoding, Connection, `Accept: */*`.
  Queries are equal if their decoded key=value pairs are, in any order of the keys, blank values
  included: dxf encodes the query of an upload Location anew, davit appends `digest=` to the
  Location as it is. Where dxf thereby loses a parameter the step is listed as documented, and
  there the query as sent is compared too;
- schema 1 manifests signed by the client have a fresh key each time: the signature is verified and
  the signed text compared.

A request that is not the next recorded one is answered 599 and fails the step, as does a recorded
one that was not made. Steps in the list of documented deviations are run and compared in the same
way against the expectation given there; transcript.py describes that file.
"""

import argparse
import fnmatch
import os
import sys

SOURCE_DIR = '@REPLAY_SOURCE_DIR@'  # filled in by meson; else this file's folder
HERE = os.path.dirname(os.path.abspath(__file__))
if not os.path.isdir(SOURCE_DIR):
    SOURCE_DIR = HERE
sys.dont_write_bytecode = True
sys.path.insert(0, SOURCE_DIR)

import runner  # pylint: disable=wrong-import-position
import transcript  # pylint: disable=wrong-import-position


def arguments(argv):
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog='replay-dxf', description='Replay recorded runs of the dxf command and compare.')
    parser.add_argument('file', metavar='FILE', help='transcript, such as tests/data/dxf-cli.json')
    parser.add_argument('--dxf', metavar='PATH',
                        help='the command (default: dxf in the build root)',
                        default=os.path.join(os.path.dirname(HERE), 'dxf'))
    parser.add_argument('--documented', metavar='FILE', help='list of documented deviations',
                        default=os.path.join(SOURCE_DIR, '..', 'data', 'dxf-documented.json'))
    parser.add_argument('-k', metavar='NAME', action='append', dest='names',
                        help='only steps with NAME (a part, or a pattern with * ?); repeatable')
    parser.add_argument('-v', action='store_true', dest='verbose',
                        help='name every step; show the requests of failed ones')
    parser.add_argument('--reference', metavar='VERSION', help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def selected(step, args):
    """True if the step is asked for."""
    if args.reference and step.get('dxf') != args.reference:
        return False
    return not args.names or any(
        fnmatch.fnmatchcase(step['name'], n if set(n) & set('*?[') else f'*{n}*')
        for n in args.names)


def report(result, verbose):
    """Print what there is to say about one step."""
    name = f'{result.step["name"]} [{result.step.get("dxf", "?")}]'
    if result.state == 'failed':
        print(f'FAILED {name}: {result.differences[0]}')
        for difference in result.differences[1:]:
            print('  and ' + difference.replace('\n', '\n  '))
        if verbose:
            for line in result.trace:
                print(f'  | {line}')
    elif result.state == 'documented':
        print(f'documented {name}: {result.reason}')
    elif verbose:
        print(f'passed {name}')
    sys.stdout.flush()


def main(argv=None):
    """Exit code: 0 all as expected, 1 a step failed, 2 the replay could not be run."""
    args = arguments(argv)
    try:
        recording = transcript.Transcript.load(args.file)
        documented = transcript.load_json(args.documented)
        if not isinstance(documented, dict):
            raise transcript.TranscriptError(f'{args.documented}: expected an object')
        if not os.access(args.dxf, os.X_OK) or os.path.isdir(args.dxf):
            raise transcript.TranscriptError(f'{args.dxf}: not a command; build it or use --dxf')
        count = {'passed': 0, 'documented': 0, 'failed': 0}
        with runner.Runner(recording, args.dxf, documented, bool(args.reference)) as run:
            for step in recording.steps:
                if selected(step, args):
                    result = run.run(step)
                    count[result.state] += 1
                    report(result, args.verbose)
    except (transcript.TranscriptError, RuntimeError, OSError) as ex:
        print(f'replay-dxf: error: {ex}', file=sys.stderr)
        return 2
    print(f'{count["passed"]} passed, {count["documented"]} documented, {count["failed"]} failed')
    return 1 if count['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
