"""Progress: a bar on a terminal, plain lines elsewhere, nothing with -q, never on stdout."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

from fake.rules import Rule

BLOB = '/blobs/sha256:'


def on_terminal(program, *args, env=None, columns=80, interrupt=False):
    """Run with stderr on a terminal; exit code, stdout, what the terminal got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    with tempfile.TemporaryFile() as out:
        process = program.start(*args, env={'TERM': 'xterm'} | (env or {}), stdout=out, stderr=theirs)
        os.close(theirs)
        shown = b''
        while select.select([ours], [], [], 30)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if interrupt and b'%' in shown:
                process.send_signal(signal.SIGINT)
                interrupt = False
        process.wait(30)
        os.close(ours)
        out.seek(0)
        return process.returncode, out.read(), shown.decode('utf-8', 'replace')


def test_bar(davit, proxy, repo, stored, work):
    """A bar with percentage, rate and time left, redrawn in place, within the width."""
    item = stored(1_500_000)
    proxy.rules.set(Rule('slow', path=BLOB, rate=1_000_000))
    args = davit.pull(f'{proxy.host}/{repo}', item.digest, work / 'x')
    code, out, shown = on_terminal(davit, *args, columns=60)
    assert code == 0, shown
    assert item.digest[7:15] in shown and re.search(r'\d+ ?%', shown)
    assert re.search(r'[KM]i?B/s', shown), shown
    assert '\r' in shown or '\x1b[' in shown
    for part in re.split(r'[\r\n]|\x1b\[[0-9;?]*[A-Za-z]', shown):
        assert len(part) <= 60, part
    assert b'%' not in out
    assert (work / 'x').read_bytes() == item.data


def test_bar_is_gone_when_interrupted(davit, proxy, repo, stored, work):
    """After SIGINT the terminal is left on a fresh line with the cursor shown."""
    item = stored(3_000_000)
    proxy.rules.set(Rule('slow', path=BLOB, rate=500_000))
    args = davit.pull(f'{proxy.host}/{repo}', item.digest, work / 'x')
    code, _, shown = on_terminal(davit, *args, interrupt=True)
    assert code == 130 and not os.listdir(work)
    assert shown.rfind('\x1b[?25l') <= shown.rfind('\x1b[?25h') or '\x1b[?25l' not in shown
    assert shown.endswith('\n') or shown.endswith('\r') or shown.endswith('K'), shown[-40:]


def test_quiet(davit, proxy, repo, stored, work):
    """-q shows nothing."""
    item = stored(600_000)
    proxy.rules.set(Rule('slow', path=BLOB, rate=600_000))
    args = davit.pull(f'{proxy.host}/{repo}', item.digest, work / 'x', '-q')
    assert on_terminal(davit, *args) == (0, b'', '')
    result = davit.run(*args).ok()
    assert result.err == ''


def test_lines_on_a_pipe(davit, proxy, repo, stored, work):
    """Elsewhere: whole lines, every few seconds, no control characters."""
    item = stored(7_000_000)
    proxy.rules.set(Rule('slow', path=BLOB, rate=1_000_000))
    result = davit.run(*davit.pull(f'{proxy.host}/{repo}', item.digest, work / 'x')).ok()
    lines = result.err.splitlines()
    assert 1 <= len(lines) <= 8, result
    assert any('%' in line for line in lines), result
    assert not re.search('[\x00-\x09\x0b-\x1f]', result.err), result


def test_dxf_progress(dxf, registry, repo, stored):
    """dxf: DXF_PROGRESS decides, else whether stderr is a terminal."""
    item = stored(300_000)
    program = dxf(registry)
    assert program.run('pull-blob', repo, item.digest).ok().err == ''
    shown = program.run('pull-blob', repo, item.digest, env={'DXF_PROGRESS': '1'}).ok().err
    assert '\rsha256:' in shown and '100%|' in shown and shown.endswith('\n')
    code, out, shown = on_terminal(program, 'pull-blob', repo, item.digest)
    assert code == 0 and out == item.data and '100%|' in shown
    code, _, shown = on_terminal(program, 'pull-blob', repo, item.digest,
                                 env={'DXF_PROGRESS': '0'})
    assert code == 0 and shown == ''


def test_terminal_is_no_secret_echo(davit, secured):
    """A password that is asked for on the terminal is not shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        davit.command('registry', 'login', secured.host, '-u', 'anna', '--ca-file', secured.tls.ca),
        env=davit.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    shown, sent = b'', False
    try:
        while piece := os.read(ours, 4096):
            shown += piece
            if not sent and b'assword' in shown:
                time.sleep(0.2)
                os.write(ours, b'simple\n')
                sent = True
    except OSError:
        pass
    assert process.wait(20) == 0, shown
    os.close(ours)
    assert sent and b'simple' not in shown
