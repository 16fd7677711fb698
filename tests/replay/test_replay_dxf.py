"""Self-tests of replay-dxf: it passes a client that does what the transcript says, and fails one
that differs in any part that matters.

The client is a player: it makes the requests of a plan and prints what the plan says. A plan made
from the expectation of a step must pass, for all steps of tests/data/dxf-cli.json; then the plan or
the transcript is changed in one place.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, '..', 'data')
sys.path.insert(0, HERE)

import jws  # pylint: disable=wrong-import-position
import runner  # pylint: disable=wrong-import-position
import transcript  # pylint: disable=wrong-import-position

PLAYER = '''#!/usr/bin/python3 -IS
import http.client, json, ssl, sys, time
plan = json.load(open(__file__ + '.plan'))
for r in plan['http']:
    if r['tls']:
        context = ssl.create_default_context(cafile='ca.pem')
        c = http.client.HTTPSConnection(r['host'], context=context)
    else:
        c = http.client.HTTPConnection(r['host'])
    c.putrequest(r['method'], r['target'], skip_accept_encoding=True)
    for name, value in r['headers'].items():
        c.putheader(name, value)
    c.endheaders()
    body = bytes.fromhex(r['body'])
    c.send(body[:r.get('cut')])
    if r.get('cut') is None:
        answer = c.getresponse()
        try:
            answer.read()
        except http.client.IncompleteRead:
            pass
    c.close()
sys.stdout.buffer.write(bytes.fromhex(plan['stdout']))
sys.stdout.flush()
sys.stderr.write(plan['stderr'])
time.sleep(plan.get('sleep', 0))
sys.exit(plan['exit'])
'''


def load(name):
    return transcript.load_json(os.path.join(DATA, name))


RECORDING = transcript.Transcript(load('dxf-cli.json'))
DOCUMENTED = load('dxf-documented.json')


def output_of(want):
    """stdout bytes of an expectation; those known by digest only are blobs with or without info."""
    content = transcript.body_bytes(want['stdout'], RECORDING.files)
    if content is not None:
        return content
    candidates = []
    for blob in RECORDING.files.values():
        info = f'{want["argv"][-1]} {len(blob)}\n'.encode()
        candidates += [blob, info + blob, blob + info]
    return next(c for c in candidates
                if hashlib.sha256(c).hexdigest() == want['stdout']['sha256'])


def plan_of(run, want):
    """What a client does that fulfils an expectation."""
    names, exchanges = run.names, []
    for x in want['http']:
        body = transcript.body_bytes(x.get('body'), RECORDING.files)
        headers = {k: names.live(v) for k, v in x['headers'].items()
                   if k in ('Authorization', 'Accept', 'Content-Type')}
        if body or x['method'] in ('PUT', 'POST', 'PATCH'):
            headers['Content-Length'] = str(len(body))
        query = names.live(x.get('query') or '')
        if 'query_starts' in x:
            query = x['query_starts'] + query.partition('sp=x+y&')[2]
        tls = RECORDING.listeners[x['listener']][0]
        exchanges.append({'tls': tls, 'host': names.live(x['headers']['Host']),
                          'method': x['method'], 'headers': headers, 'body': body.hex(),
                          'target': names.live(x['path']) + (f'?{query}' if query else '')})
        if x['status'] is None:
            del headers['Content-Length']
            headers['Transfer-Encoding'] = 'chunked'
            exchanges[-1]['cut'] = 0
    rule, stderr = want.get('stderr_rule', 'recorded'), ''
    if rule == 'error' or rule == 'recorded' and want['stderr_first'].startswith('Traceback'):
        stderr = 'dxf: error: what failed, and why\n'
    elif rule == 'recorded':
        stderr = (want.get('stderr') or {'text': want['stderr_first'] + '\n'})['text']
    return {'http': exchanges, 'exit': want['exit'], 'stderr': stderr,
            'stdout': names.live(output_of(want).decode()).encode().hex()
            if 'text' in want['stdout'] else output_of(want).hex()}


class Bench:
    """A runner whose command is the player."""

    def __init__(self, directory):
        self.player = os.path.join(directory, 'dxf')
        with open(self.player, 'w', encoding='ascii') as f:
            f.write(PLAYER)
        os.chmod(self.player, 0o755)
        self.run = runner.Runner(RECORDING, self.player, DOCUMENTED)

    def plan(self, name):
        step = RECORDING.by_name[name]
        return plan_of(self.run, transcript.expected(RECORDING, step, DOCUMENTED.get(name)))

    def play(self, name, plan, step=None):
        """Run a step (or a changed copy of it) with a plan."""
        with open(self.player + '.plan', 'w', encoding='utf-8') as f:
            json.dump(plan, f)
        return self.run.run(step or RECORDING.by_name[name])


@pytest.fixture(scope='module')
def bench(tmp_path_factory):
    b = Bench(str(tmp_path_factory.mktemp('player')))
    with b.run:
        yield b


@pytest.mark.parametrize('name', [s['name'] for s in RECORDING.steps])
def test_every_expectation_can_be_fulfilled(bench, name):
    plan = bench.plan(name)
    if RECORDING.by_name[name].get('stderr_is_tty'):
        plan['stderr'] = plan['stderr'].replace('\r\n', '\n')  # the terminal adds it
    result = bench.play(name, plan)
    assert result.differences == []
    assert result.state == ('documented' if name in DOCUMENTED else 'passed')


@pytest.mark.parametrize('name', sorted(DOCUMENTED))
def test_what_dxf_did_fails_a_documented_step(bench, name):
    step = RECORDING.by_name[name]
    result = bench.play(name, plan_of(bench.run, step))
    assert result.state == 'failed'
    assert result.reason == DOCUMENTED[name]['reason']


def header(value, key='Authorization', number=1):
    def change(plan):
        headers = plan['http'][number]['headers']
        headers.pop(key, None)
        if value is not None:
            headers[key] = value
    return change


def put(key, value, number=None):
    def change(plan):
        (plan if number is None else plan['http'][number])[key] = value
    return change


def chunked(plan):
    x = plan['http'][3]
    del x['headers']['Content-Length']
    x['headers']['Transfer-Encoding'] = 'chunked'
    x['body'] = b'a\r\nhello dxf\n\r\n0\r\n\r\n'.hex()


def body(text):
    def change(plan):
        plan['http'][3].update(body=text.encode().hex())
        plan['http'][3]['headers']['Content-Length'] = str(len(text))
    return change


CHANGES = {
    'exit code': (put('exit', 1), 'exit code: expected 0, got 1'),
    'stdout': (put('stdout', b'sha256:other\n'.hex()), 'stdout'),
    'no stdout': (put('stdout', ''), 'stdout'),
    'stderr': (put('stderr', 'warning: x\n'), 'stderr'),
    'missing request': (lambda p: p['http'].pop(), 'missing request: htpasswd-tls PUT'),
    'extra request': (lambda p: p['http'].append(p['http'][-1]), 'expected no further request'),
    'order': (lambda p: p['http'].reverse(), 'extra request: htpasswd-tls PUT'),
    'method': (put('method', 'GET', 1), 'extra request: htpasswd-tls GET'),
    'path': (put('target', '/v2/foo/baz/blobs/x', 1), 'extra request'),
    'query': (put('target', '/v2/foo/bar/blobs/uploads/?x=', 2), 'extra request'),
    'authorization': (header('Basic eDp5'), 'header authorization'),
    'no authorization': (header(None), 'header authorization'),
    'too early': (header('Basic eDp5', number=0), 'header authorization'),
    'content-type': (header('text/plain', 'Content-Type', 5), 'header content-type'),
    'no content-type': (header(None, 'Content-Type', 5), 'header content-type'),
    'chunked': (chunked, 'header content-length'),
    'body': (body('hello DXF\n'), 'body'),
    'short body': (body('hello'), 'body'),
    'empty body': (body(''), 'body'),
    'hung up': (put('cut', 3, 3), 'hung up'),
    'host': (lambda p: p['http'][1].update(host=p['http'][1]['host'].replace('localhost',
                                                                             '127.0.0.1')),
             'header host'),
}


@pytest.mark.parametrize('what', sorted(CHANGES))
def test_a_changed_run_fails(bench, what):
    plan = bench.plan('basic-push')
    assert len(plan['http']) == 6
    change, message = CHANGES[what]
    change(plan)
    result = bench.play('basic-push', plan)
    assert result.state == 'failed'
    assert any(message in d for d in result.differences), result.differences


def test_accept_is_compared_as_a_set(bench):
    plan = bench.plan('pull-alias')
    headers = plan['http'][0]['headers']
    headers['Accept'] = ','.join(reversed(headers['Accept'].split(', ')))
    assert bench.play('pull-alias', plan).state == 'passed'
    headers['Accept'] = '*/*'
    assert 'header accept' in bench.play('pull-alias', plan).differences[0]


def test_an_unmatched_request_is_answered_599(bench):
    plan = bench.plan('list-repos')
    plan['http'][0]['target'] = '/v2/'
    result = bench.play('list-repos', plan)
    assert result.trace[0] == 'anon GET /v2/ -> 599'
    assert 'missing request: anon GET /v2/_catalog' in result.differences[-1]


def test_queries_are_compared_decoded(bench):
    plan = bench.plan('mount')
    target = plan['http'][0]['target']
    path, _, query = target.partition('?')
    mount, source = query.split('&')
    plan['http'][0]['target'] = f'{path}?{source}&{mount}'.replace('%3A', ':')
    assert bench.play('mount', plan).state == 'passed'
    plan['http'][0]['target'] = target + '&blank='
    assert bench.play('mount', plan).state == 'failed'


def test_the_documented_query_is_compared_as_sent(bench):
    plan = bench.plan('location-query')
    x = plan['http'][2]
    x['target'] = x['target'].replace('x%20y', 'x+y')
    assert 'query as sent' in bench.play('location-query', plan).differences[0]


@pytest.mark.parametrize('stderr', [
    '', 'dxf: error: \n', 'error: x\n', 'dxf: error: two\nlines\n', 'dxf: error: no newline',
    'Traceback (most recent call last):\nKeyError: x\n'])
def test_a_traceback_becomes_one_sentence(bench, stderr):
    plan = bench.plan('pull-missing')
    plan['stderr'] = stderr
    assert 'stderr' in bench.play('pull-missing', plan).differences[0]


def test_usage_errors_are_exact(bench):
    plan = bench.plan('unknown-op')
    plan['stderr'] = plan['stderr'].replace("'frob'", 'frob')
    assert 'stderr' in bench.play('unknown-op', plan).differences[0]


def test_times_of_a_bar_do_not_matter(bench):
    plan = bench.plan('push-progress')
    plan['stderr'] = ('\rsha256:7:   0%|          | 0/102400 [00:00<?, ?it/s]\rsha256:7:  50%|x\r'
                      'sha256:7: 100%|██████████| 102400/102400 [00:03<00:00, 1.50it/s]\n')
    assert bench.play('push-progress', plan).state == 'passed'
    plan['stderr'] = plan['stderr'].replace('100%', ' 99%')
    assert bench.play('push-progress', plan).state == 'failed'


def test_a_command_that_does_not_end_is_killed(bench, monkeypatch):
    monkeypatch.setattr(runner, 'STEP_SECONDS', 0.5)
    plan = {**bench.plan('list-repos'), 'sleep': 60}
    assert 'killed' in bench.play('list-repos', plan).differences[0]


def test_the_same_step_twice_gives_the_same(bench):
    """Nothing of a failed step is left for the next."""
    plan = bench.plan('token-push')
    short = {**plan, 'http': plan['http'][:3]}
    assert bench.play('token-push', short).state == 'failed'
    assert bench.play('token-push', plan).state == 'passed'


def test_repeat(bench):
    step = {**RECORDING.by_name['manifest-ratelimited'], 'name': 'x'}
    plan = bench.plan('manifest-ratelimited')
    expect = {'http': [{'from': 0, 'repeat': 3}]}
    bench.run.documented = {'x': {'reason': 'tried again', 'expect': expect}}
    try:
        for times, state in ((1, 'documented'), (3, 'documented'), (4, 'failed')):
            result = bench.play('x', {**plan, 'http': plan['http'] * times}, step)
            assert result.state == state, times
    finally:
        bench.run.documented = DOCUMENTED


# schema 1

def signed_body():
    text = RECORDING.by_name['s1-set-alias-again']['stdout']['text']
    return text.encode()


def test_recorded_signatures_verify():
    unsigned = jws.payload(signed_body())
    assert json.loads(unsigned)['tag'] == 'both'
    response = RECORDING.by_name['s1-get-manifest']['stdout']['text'].encode()
    assert b'signatures' not in jws.payload(response)


@pytest.mark.parametrize('old, new', [
    (b'foo/bar', b'foo/baz'), (b'"signature":"', b'"signature":"A'), (b'ES256', b'none'),
    (b'P-256', b'P-384'), (b'"x":"', b'"y2":"'), (b'"protected":"e', b'"protected":"f')])
def test_bad_signatures_do_not(old, new):
    text = signed_body()
    assert old in text
    with pytest.raises(jws.BadSignature):
        jws.payload(text.replace(old, new, 1))


def flip(text):
    """Another signature of the right form."""
    at = text.index('"signature":"') + 20
    return text[:at] + ('A' if text[at] != 'A' else 'B') + text[at + 1:]


def resigned(directory, unsigned):
    """unsigned (bytes), signed as a schema 1 manifest with a new key made by openssl."""
    def openssl(*args, data=None):
        return subprocess.run(['openssl', *args], cwd=directory, input=data, check=True,
                              capture_output=True).stdout

    def encode(raw):
        return base64.urlsafe_b64encode(raw).decode().rstrip('=')
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'key')
    point = openssl('ec', '-in', 'key', '-pubout', '-outform', 'DER')[-64:]
    protected = encode(json.dumps({'formatLength': len(unsigned) - 1,
                                   'formatTail': encode(b'}')}).encode())
    der = openssl('dgst', '-sha256', '-sign', 'key',
                  data=f'{protected}.{encode(unsigned)}'.encode())
    first = 4 + der[3]
    r, s = der[4:first], der[first + 2:]
    raw = b''.join(n.lstrip(b'\0').rjust(32, b'\0') for n in (r, s))
    entry = {'header': {'alg': 'ES256', 'jwk': {
        'kty': 'EC', 'crv': 'P-256', 'x': encode(point[:32]), 'y': encode(point[32:])}},
        'signature': encode(raw), 'protected': protected}
    entry = json.dumps(entry, separators=(',', ':')).encode()
    return unsigned[:-1] + b',"signatures":[' + entry + b']}'


def test_a_manifest_signed_with_another_key(bench, tmp_path):
    fresh = resigned(tmp_path, jws.payload(signed_body())).decode()
    other = resigned(tmp_path, jws.payload(signed_body())).decode()
    wrong = resigned(tmp_path, jws.payload(signed_body()).replace(b'"both"', b'"none"')).decode()
    name = 's1-set-alias-again'

    def play(uploaded, printed):
        plan = bench.plan(name)
        x = plan['http'][-1]
        x['body'] = uploaded.encode().hex()
        x['headers']['Content-Length'] = str(len(uploaded))
        plan['stdout'] = printed.encode().hex()
        return bench.play(name, plan)
    assert play(fresh, fresh).differences == []
    assert 'another signed text' in play(fresh, other).differences[0]
    assert 'the signed text' in play(wrong, wrong).differences[0]
    assert 'signature does not fit' in play(flip(fresh), flip(fresh)).differences[0]


def test_a_manifest_that_was_given_must_be_the_same(bench, tmp_path):
    name = 's1-get-manifest'
    plan = bench.plan(name)
    text = bytes.fromhex(plan['stdout'])
    plan['stdout'] = resigned(tmp_path, jws.payload(text)).hex()
    assert bench.play(name, plan).state == 'failed'


# the list of documented deviations

def test_documented_steps_exist():
    assert set(DOCUMENTED) <= set(RECORDING.by_name)


@pytest.mark.parametrize('entry', [
    {'expect': {'exit': 0}}, {'reason': '', 'expect': {'exit': 0}}, {'reason': 'x'},
    {'reason': 'x', 'expect': {}}, {'reason': 'x', 'expect': {'exti': 0}},
    {'reason': 'x', 'expect': {'http': [7]}}, {'reason': 'x', 'expect': {'http': [{'from': 9}]}},
    {'reason': 'x', 'expect': {'http': [{'from': ['no-such-step', 0]}]}},
    {'reason': 'x', 'expect': {'stdout': {'from': 'no-such-step'}}},
    {'reason': 'x', 'expect': {'http': [0], 'stderr': 'loud'}},
    {'reason': 'x', 'expect': {'exit': 2}}])
def test_unusable_documented_entries_fail_their_step(bench, entry):
    bench.run.documented = {'pull-missing': entry}
    try:
        result = bench.play('pull-missing', bench.plan('pull-missing'))
        assert result.state == 'failed'
        assert result.differences[0].startswith('documented: pull-missing')
    finally:
        bench.run.documented = DOCUMENTED


# the command itself

def command(tmp_path, steps, *args, documented=None):
    """Run replay_dxf.py on a small transcript with a shell script as dxf."""
    doc = {'listeners': {'anon': 'http localhost:5000'}, 'cwd_files': {'a': {'text': 'in a\n'}},
           'steps': steps}
    for name, content in (('t.json', doc), ('d.json', documented or {})):
        (tmp_path / name).write_text(json.dumps(content))
    script = tmp_path / 'dxf'
    script.write_text('#!/bin/sh\ncase $1 in out) cat files/a;; env) echo "$DXF_HOST $COLUMNS";;\n'
                      'err) echo "dxf: error: no" >&2; exit 1;; esac\n')
    script.chmod(0o755)
    run = subprocess.run([sys.executable, os.path.join(HERE, 'replay_dxf.py'),
                          str(tmp_path / 't.json'), '--dxf', str(script),
                          '--documented', str(tmp_path / 'd.json'), *args],
                         capture_output=True, text=True, check=False)
    return run.returncode, run.stdout.splitlines(), run.stderr


def step(name, out='', code=0, first=''):
    return {'name': name, 'dxf': '1', 'argv': [name], 'env': {'DXF_HOST': 'localhost:5000'},
            'stdin': None, 'exit': code, 'stdout': {'text': out}, 'stderr_first': first,
            'stderr_last': '', 'http': []}


STEPS = [step('out', 'in a\n'), step('env', 'localhost:5000 80\n'),
         step('err', code=1, first='Traceback (most recent call last):')]


def test_command_passes(tmp_path):
    assert command(tmp_path, STEPS) == (0, ['3 passed, 0 documented, 0 failed'], '')


def test_command_fails(tmp_path):
    code, out, _ = command(tmp_path, STEPS[:2] + [step('err', 'x\n')])
    assert code == 1
    assert out[0] == 'FAILED err [1]: exit code: expected 0, got 1'
    assert out[-1] == '2 passed, 0 documented, 1 failed'


def test_command_counts_documented(tmp_path):
    documented = {'out': {'reason': 'because', 'expect': {'stdout': {'text': 'in a\n'}}},
                  'not-in-this-file': {'reason': 'x', 'expect': {}}}
    code, out, _ = command(tmp_path, [step('out', 'x')] + STEPS[1:], documented=documented)
    assert (code, out) == (0, ['documented out [1]: because', '2 passed, 1 documented, 0 failed'])


def test_command_selects(tmp_path):
    assert command(tmp_path, STEPS, '-k', 'er')[1] == ['1 passed, 0 documented, 0 failed']
    assert command(tmp_path, STEPS, '-k', 'e*')[1] == ['2 passed, 0 documented, 0 failed']


@pytest.mark.parametrize('steps', [[{'name': 'x'}], [STEPS[0], STEPS[0]], 7])
def test_command_refuses_other_files(tmp_path, steps):
    code, out, err = command(tmp_path, steps)
    assert (code, out) == (2, [])
    assert err.startswith('replay-dxf: error: ') and err.count('\n') == 1
