"""Transfers that go wrong: cuts, resets, wrong bytes, waiting servers, full disks, interrupts."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from fake.client import counted, need, run, sanitized
from fake.rules import Rule

BLOB = '/blobs/sha256:'


def pull(davit, host, repo, item, work, *more):
    """Pull into work/out."""
    return davit.run(*davit.pull(f'{host}/{repo}', item.digest, work / 'out', *more))


def test_cut_is_continued(davit, dxf, proxy, repo, stored, work):
    """A cut connection is continued with a Range request; dxf fails, as python-dxf does."""
    item = stored(1_000_000)
    cut = {'do': 'cut', 'path': BLOB, 'bytes': 400_000, 'times': 1}
    proxy.rules.set(cut)
    pull(davit, proxy.host, repo, item, work).ok()
    assert (work / 'out').read_bytes() == item.data
    ranges = [s.headers.get('range') for s in proxy.requests('GET', BLOB)]
    assert ranges[0] is None and ranges[1].startswith('bytes=400000-'), ranges
    proxy.rules.set(cut)
    dxf(proxy).run('pull-blob', repo, item.digest).fails(1)


@pytest.mark.parametrize('fault', ['cut', 'reset', 'short'])
def test_always_cut(davit, proxy, repo, stored, work, fault):
    """Given up in the end; nothing is left."""
    item = stored(1_000_000)
    proxy.rules.set(Rule(fault, path=BLOB, bytes=1000))
    pull(davit, proxy.host, repo, item, work, '--retries', '1').fails((1, 6))
    assert not os.listdir(work)


def test_short_body(davit, dxf, proxy, repo, stored, work):
    """A complete answer that is shorter than the blob does not verify."""
    item = stored(50_000)
    proxy.rules.set(Rule('answer', method='GET', path=BLOB, body=item.data[:-1]))
    (work / 'out').write_bytes(b'before')
    pull(davit, proxy.host, repo, item, work).fails(6, 'digest|match')
    assert os.listdir(work) == ['out'] and (work / 'out').read_bytes() == b'before'
    dxf(proxy).run('pull-blob', repo, item.digest).fails(1)


def test_wrong_bytes(davit, dxf, proxy, repo, stored, work):
    """A digest mismatch: no file appears; a stream to stdout ends in an error."""
    item = stored(300_000)
    proxy.rules.set(Rule('wrong', path=BLOB, bytes=150_000))
    pull(davit, proxy.host, repo, item, work).fails(6, item.digest, 'digest|match')
    assert not os.listdir(work)
    davit.run(*davit.pull(f'{proxy.host}/{repo}', item.digest)).fails(6)
    dxf(proxy).run('pull-blob', repo, item.digest).fails(1, item.digest)


def test_wrong_manifest(davit, proxy, repo, stored):
    """A manifest that does not match the digest asked for, or the one in the header."""
    item = stored()
    davit.run(*davit.alias('set', f'{proxy.host}/{repo}', 'x', item.digest)).ok()
    proxy.rules.set(Rule('wrong', path='/manifests/', bytes=30))
    davit.run(*davit.manifest('get', f'{proxy.host}/{repo}:x')).fails((1, 6))


@pytest.mark.parametrize('status, waits', [(429, 1.0), (503, 0.0)])
def test_waits_and_tries_again(davit, proxy, repo, stored, work, status, waits):
    """429 with Retry-After and 503 are passing failures."""
    item = stored()
    proxy.rules.set(Rule('answer', path=BLOB, status=status, times=2,
                         headers={'Retry-After': '1'} if waits else {}))
    result = pull(davit, proxy.host, repo, item, work).ok()
    assert len(proxy.requests('GET', BLOB)) == 3 and result.seconds >= 2 * waits
    assert (work / 'out').read_bytes() == item.data


def test_gives_up_waiting(davit, proxy, repo, stored, work):
    """Not for ever; the status is told."""
    item = stored()
    proxy.rules.set(Rule('answer', path=BLOB, status=429, headers={'Retry-After': '1'}))
    pull(davit, proxy.host, repo, item, work, '--retries', '1').fails(1, '429|too many')
    assert not os.listdir(work)


def test_stall(davit, proxy, repo, stored):
    """A server that says nothing more ends at the time limit."""
    item = stored()
    davit.run(*davit.alias('set', f'{proxy.host}/{repo}', 'x', item.digest)).ok()
    proxy.rules.set(Rule('stall', path='/tags/list'))
    result = davit.run(*davit.tags(f'{proxy.host}/{repo}', '--timeout', '1s', '--retries', '0'))
    result.fails(9, 'time|stall')
    assert result.seconds < 5


def cancelled(proxy):
    """Sessions that were begun and not finished; each must have been cancelled. (docker-registry 2.8.2
    refuses to cancel one whose body broke off: its state is not the one that the client knows.)"""
    finished = {s.path for s in proxy.requests('PUT', '/uploads/') if s.status == 201}
    begun = {s.path for s in proxy.log if '/uploads/' in s.path and s.method in ('PUT', 'PATCH')}
    asked = {s.path for s in proxy.requests('DELETE', '/uploads/')}
    assert begun and begun - finished <= asked, f'not cancelled: {begun - finished - asked}'
    return begun - finished


@pytest.mark.parametrize('stream', [False, True])
def test_push_reset(davit, proxy, repo, blob, stream):
    """A reset in the middle of an upload: a file is sent again; a stream fails. The session that broke
    is cancelled."""
    item = blob(3_000_000)
    rule = Rule('reset', method='PUT|PATCH', where='request', bytes=1_000_000, times=1)
    proxy.rules.set(rule)
    args = davit.push(f'{proxy.host}/{repo}', '-' if stream else item.path)
    result = davit.run(*args, stdin=item.data if stream else b'')
    assert rule.used == 1 and cancelled(proxy)
    if stream:
        result.fails(1, 'reset|broken|closed|lost')
    else:
        result.ok()
        davit.run(*davit.stat(f'{proxy.host}/{repo}', item.digest)).ok()


@pytest.mark.parametrize('method, row', [('PATCH', 'chunk'), ('PUT', 'finish')])
def test_upload_errors_name_the_repository(davit, proxy, repo, blob, method, row):
    """Also where the URL is the registry's choice."""
    proxy.rules.set(Rule('answer', method=method, status=500))
    result = davit.run(*davit.push(f'{proxy.host}/{repo}', '-'), stdin=b'x' * 1000)
    result.fails(1, f'{proxy.host}/{repo}: registry.upload.{row}: HTTP 500')


def test_promised_digest_of_another_blob(davit, registry, repo, stored, blob):
    """The digest is that of a blob that the registry has, but not that of the file."""
    there, item = stored(1000), blob(2000)
    result = davit.run(*davit.push(f'{registry.host}/{repo}', item.path, '--digest', there.digest))
    result.fails(6, there.digest)


def test_promised_digest(davit, proxy, repo, blob):
    """A stream that has not the promised digest is not stored; its session is cancelled."""
    item = blob(2_000_000)
    args = davit.push(f'{proxy.host}/{repo}', '-', '--digest', 'sha256:' + 'b' * 64)
    davit.run(*args, stdin=item.data).fails(6, 'digest|match')
    assert cancelled(proxy)


def test_empty_blob(davit, dxf, registry, repo, blob, work):
    """Zero bytes go both ways."""
    item = blob(0)
    davit.run(*davit.push(f'{registry.host}/{repo}', item.path)).ok()
    pull(davit, registry.host, repo, item, work).ok()
    assert (work / 'out').read_bytes() == b''
    assert dxf(registry).run('pull-blob', repo, item.digest).ok().out == b''
    assert dxf(registry).run('push-blob', repo + '2', item.path).ok().text == item.digest + '\n'


SMALL_DISK = '''mount -t tmpfs -o size=1m davit-test "$1" || exit 99
list=$2; cd "$1"; shift 2; "$@"; code=$?; ls -A . > "$list"; exit $code'''


def on_small_disk(env, directory, *argv):
    """Run argv with a tmpfs of 1 MiB at directory, in a mount namespace; also the names left there."""
    spaces = ['--mount'] if os.geteuid() == 0 else ['--user', '--map-root-user', '--mount']
    names = directory.parent / 'left'
    result = run([need('unshare'), *spaces, 'sh', '-c', SMALL_DISK, 'sh', str(directory),
                  str(names), *argv], env=env)
    result.argv = argv
    return result, names.read_text(encoding='utf-8').split()


def test_disk_full(davit, registry, repo, stored, work):
    """No space left: said so, and the disk is as before."""
    item = stored(3_000_000)
    args = davit.pull(f'{registry.host}/{repo}', item.digest, work / 'out')
    result, left = on_small_disk(davit.env, work, *davit.command(*args))
    result.fails(1, 'no space left')
    assert left == []


def test_dxf_disk_full(dxf, registry, repo, stored, work):
    """Standard output on a full disk."""
    item, program = stored(3_000_000), dxf(registry)
    script = 'exec "$0" pull-blob "$1" "$2" > out'
    result, _ = on_small_disk(program.env, work, 'sh', '-c', script, program.path, repo, item.digest)
    result.argv = [program.path]
    result.fails(1, 'no space left')


def interrupted(program, args, ready, number=signal.SIGINT, stdin=subprocess.DEVNULL):
    """Start, send a signal when ready() is true, and wait; exit code, stderr, seconds after it."""
    process = program.start(*args, stdin=stdin)
    until = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < until and process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(number)
    begun = time.monotonic()
    _, err = process.communicate(timeout=20)
    return process.returncode, err.decode(), time.monotonic() - begun


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupted_pull(davit, proxy, repo, stored, work, number):
    """Temporary files gone; exit 128 + signal, soon."""
    item = stored(5_000_000)
    proxy.rules.set(Rule('slow', path=BLOB, rate=500_000))
    code, err, seconds = interrupted(
        davit, davit.pull(f'{proxy.host}/{repo}', item.digest, work / 'out'),
        lambda: proxy.requests('GET', BLOB), number)
    assert code == 128 + number, err
    assert seconds < 3 and not os.listdir(work)
    assert 'Traceback' not in err and err.count('\n') <= 3, err


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_nobody_reads(davit, dxf, proxy, repo, stored, number):
    """Standard output is a pipe that is full: a signal ends the wait for its reader."""
    item = stored(5_000_000)
    for program, args in ((davit, davit.pull(f'{proxy.host}/{repo}', item.digest)),
                          (dxf(proxy), ('pull-blob', repo, item.digest))):
        proxy.log.clear()
        process = program.start(*args)
        until = time.monotonic() + 20
        while not proxy.requests('GET', BLOB) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        assert 'cancelled' in process.communicate()[1].decode()


def test_interrupted_push(davit, dxf, proxy, registry, repo, blob):
    """The upload session is cancelled at the registry: it is gone."""
    item = blob(3_000_000)
    for program, args in ((davit, davit.push(f'{proxy.host}/{repo}', item.path)),
                          (dxf(proxy), ('push-blob', repo, item.path))):
        proxy.log.clear()
        proxy.rules.set(Rule('stall', method='PUT|PATCH', where='request'))
        code, err, seconds = interrupted(
            program, args, lambda: any(s.body_bytes for s in proxy.log))
        assert code == 130, err
        assert seconds < 5 and cancelled(proxy)
        assert not [u for u in registry.uploads() if repo in u]


def test_interrupted_stream_push(davit, proxy, repo):
    """The same while waiting for more standard input."""
    reading, writing = os.pipe()
    os.write(writing, b'x' * 1000)
    try:
        code, err, _ = interrupted(davit, davit.push(f'{proxy.host}/{repo}', '-'),
                                   lambda: proxy.requests('PATCH'), stdin=reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert code == 130, err
    assert cancelled(proxy)


def least_peak(program, *argv, to=None):
    """The smallest peak memory in KiB of five runs, all good, and the last result. Runs differ by what the
    kernel and the allocator happen to do; what a transfer needs is in all of them. Where memory is not
    compared, one run does."""
    peaks = []
    for _ in range(1 if sanitized() or counted() else 5):
        with open(to or os.devnull, 'wb') as out:
            peak, result = program.peak(*argv, **({'stdout': out} if to else {}))
        result.ok()
        peaks.append(peak)
    return min(peaks), result


def test_big_both_ways(davit, dxf, registry, home, work, repo):
    """256 MiB: the bytes come back, and memory is that of a small blob within 256 KiB."""
    peaks, size = {}, 256 << 20
    for name, n in (('small', 1 << 20), ('big', size)):
        path = work / name
        with open(path, 'wb') as f:
            subprocess.run(['openssl', 'rand', str(n)], stdout=f, check=True)
        peaks[name], result = least_peak(
            davit, *davit.push(f'{registry.host}/{repo}', path, '-q', '--no-check-exists'))
        digest = result.text.split()[0]
        peaks[name + ' pull'], _ = least_peak(
            davit, *davit.pull(f'{registry.host}/{repo}', digest, work / 'out', '-q'))
        subprocess.run(['cmp', path, work / 'out'], check=True)
        peaks[name + ' dxf'], _ = least_peak(
            dxf(registry), 'pull-blob', repo, digest, to=work / 'out2')
        subprocess.run(['cmp', path, work / 'out2'], check=True)
    shutil.rmtree(work)
    if not sanitized() and not counted():
        for kind in ('', ' pull', ' dxf'):
            assert abs(peaks['big' + kind] - peaks['small' + kind]) <= 256, peaks
