"""Bad input gets a clear error, a non-zero exit, nothing lost or half-written."""

import os
import subprocess

import pytest
from fake.client import digest_of, sanitized
from fake.rules import Rule

GOOD = 'sha256:' + 'a' * 64
JSON = {'Content-Type': 'application/vnd.docker.distribution.manifest.v2+json'}


@pytest.mark.parametrize('reference, said', [
    ('UPPER/case@' + GOOD, 'repository|name'),
    ('a//b@' + GOOD, 'repository|name'),
    ('a/../b@' + GOOD, 'repository|name'),
    ('a/b@sha256:abcd', 'digest'),
    ('a/b@md5:' + 'a' * 32, 'digest'),
    ('a/b@sha256:' + 'A' * 64, 'digest'),
    ('a/b@' + GOOD + '0', 'digest'),
])
def test_bad_reference(davit, registry, work, reference, said):
    """Refused before a request is made."""
    result = davit.run('registry', 'blob', 'pull', f'{registry.host}/{reference}', '-o', work / 'x')
    result.fails((2, 8) if 'md5' in reference else 2, said)
    assert not os.listdir(work)


@pytest.mark.parametrize('tag', ['-x', '.x', 'x' * 129, 'sp ace', 'é', ''])
def test_bad_tag(davit, registry, tag):
    """Tags and aliases have the form that the specification gives."""
    davit.run(*davit.manifest('get', f'{registry.host}/a/b:{tag}')).fails(2, 'tag|reference')
    davit.run(*davit.alias('get', f'{registry.host}/a/b', tag)).fails(2, 'tag|alias|reference')


@pytest.mark.parametrize('args', [
    ('frob',), ('registry', 'frob'), ('registry', 'blob', 'frob'), ('registry', 'tags'),
    ('registry', 'tags', 'a/b', '--no-such-option'), ('registry', 'tags', 'a', 'b', 'c'),
    ('registry', 'tags', '127.0.0.1:notaport/a/b'), ('registry', 'tags', '127.0.0.1:99999/a/b'),
])
def test_usage_errors(davit, args):
    """Unknown words and wrong arguments are usage errors."""
    result = davit.run(*args)
    assert result.code == 2 and result.out == b'' and result.err.startswith('davit: '), result


@pytest.mark.parametrize('option, value', [
    ('-n', '-1'), ('--limit', '0'), ('--batch', '-5'), ('--batch', '0'), ('--batch', 'many'),
    ('--retries', '-1'), ('--timeout', '-1'), ('--connect-timeout', '0'), ('--chunk-size', '-1'),
    ('--chunk-size', '0'), ('--chunk-size', '17m')])
def test_senseless_numbers(davit, registry, option, value):
    """A usage error that names the option; nothing is asked."""
    args = davit.pull(f'{registry.host}/a/b', GOOD, 'x') if 'chunk' in option else (
        davit.tags(f'{registry.host}/a/b'))
    name = {'-n': '--limit'}.get(option, option)
    davit.run(*args, option, value).fails(2, f'option {name}:', f'got {value}|got \'{value}')


def test_standard_input_twice(davit, registry, repo):
    """What can be read only once is asked for only once."""
    host = f'{registry.host}/{repo}'
    davit.run(*davit.push(host, '-', '-'), stdin=b'x').fails(2, 'standard input', 'once')
    result = davit.run(*davit.push(host, '-', '-u', 'fred', '--password-stdin'), stdin=b'x')
    result.fails(2, '--password-stdin', 'once')


def test_dxf_bad_names(dxf, registry, work):
    """dxf's exit codes: 2 for what the registry does not find, 1 for a malformed digest."""
    program = dxf(registry)
    program.run('pull-blob', 'a/b', 'sha256:abcd').fails(1)
    program.run('pull-blob', 'a/b', GOOD).fails(2)
    program.run('get-alias', 'a/b', 'nope').fails(2)
    program.run('list-aliases', 'UPPER').fails(2)


def test_manifest_of_another_digest(davit, proxy, repo, stored):
    """A manifest is not sent under a digest that is not its own."""
    item, where = stored(), f'{proxy.host}/{repo}'
    davit.run(*davit.alias('set', where, 'x', item.digest)).ok()
    manifest = davit.run(*davit.manifest('get', f'{where}:x')).ok().out
    proxy.log.clear()
    put = davit.run(*davit.manifest('put', f'{where}@{GOOD}', '-'), stdin=manifest)
    put.fails(6, GOOD, digest_of(manifest))
    assert not proxy.log
    davit.run(*davit.manifest('put', f'{where}@{digest_of(manifest)}', '-'), stdin=manifest).ok()


def test_missing_file(davit, dxf, registry, repo, work):
    """Says which file and why; the registry is not asked."""
    name = work / 'not there'
    davit.run(*davit.push(f'{registry.host}/{repo}', name)).fails(1, 'not there', 'no such file')
    davit.run(*davit.push(f'{registry.host}/{repo}', work)).fails((1, 2), 'directory')
    dxf(registry).run('push-blob', repo, name).fails(1, 'not there', 'no such file')
    assert not registry.uploads()


def test_missing_target_directory(davit, registry, repo, stored, work):
    """A target that cannot be written is an error of the file, not of the registry."""
    item = stored()
    target = work / 'no' / 'such' / 'file'
    result = davit.run(*davit.pull(f'{registry.host}/{repo}', item.digest, target))
    result.fails(1, 'no such file or directory')
    davit.run(*davit.pull(f'{registry.host}/{repo}', item.digest, work)).fails((1, 2), 'directory')
    assert not os.listdir(work)


def test_unknown_host(davit, work):
    """The host is named, at once."""
    result = davit.run(*davit.tags('no-such-host.invalid/a/b'))
    result.fails(1, 'no-such-host.invalid')
    assert result.seconds < 1.5


def test_nobody_listens(davit, registry, other):
    """A refused connection says so, at once."""
    other.stop()
    result = davit.run(*davit.tags(f'127.0.0.1:{other.port}/a/b'))
    result.fails(1, f'127.0.0.1:{other.port}', 'refused')
    assert result.seconds < 1


def test_not_there(davit, registry, repo, stored, work):
    """Unknown blobs, manifests and repositories exit with 3."""
    item = stored()
    host = f'{registry.host}/{repo}'
    davit.run(*davit.pull(host, GOOD, work / 'x')).fails(3, 'not found|unknown|no such')
    davit.run(*davit.stat(host, GOOD)).fails(3)
    davit.run(*davit.manifest('get', f'{host}:nope')).fails(3)
    davit.run(*davit.tags(f'{registry.host}/t/none')).fails(3)
    davit.run(*davit.remove(host, GOOD)).fails(3)
    davit.run(*davit.stat(host, item.digest)).ok()
    assert not os.listdir(work)


def test_delete_switched_off(davit, dxf, nodelete, repo, blob):
    """405 is told as such; the blob stays."""
    item = blob()
    davit.run(*davit.push(f'{nodelete.host}/{repo}', item.path)).ok()
    davit.run(*davit.remove(f'{nodelete.host}/{repo}', item.digest)).fails(8, 'delet|unsupported')
    dxf(nodelete).run('del-blob', repo, item.digest).fails(1)
    davit.run(*davit.stat(f'{nodelete.host}/{repo}', item.digest)).ok()


def test_delete_by_tag(davit, registry, repo, blob):
    """docker-registry 2 deletes manifests by digest only: the message says so."""
    davit.run(*davit.push(f'{registry.host}/{repo}:x', blob().path)).ok()
    davit.run(*davit.manifest('rm', f'{registry.host}/{repo}:x')).fails(8, 'digest only', f'{repo}:x')
    digest = davit.run(*davit.manifest('stat', f'{registry.host}/{repo}:x', '--format', '{{.digest}}')).ok()
    davit.run(*davit.manifest('rm', f'{registry.host}/{repo}@{digest.text.strip()}')).ok()


@pytest.mark.parametrize('content', ['{', '[]', '{"auths": 3}', '{"auths": {"HOST": 3}}', None])
def test_unreadable_config(davit, secured, repo, home, content):
    """A config.json that cannot be read or understood is named."""
    folder = home / '.docker'
    folder.mkdir()
    if content is None:
        (folder / 'config.json').mkdir()
    else:
        (folder / 'config.json').write_text(content.replace('HOST', secured.host))
    result = davit.run(*davit.tags(f'{secured.host}/{repo}', '--ca-file', secured.tls.ca))
    result.fails((1, 4), 'config.json')


def test_wrong_password(davit, dxf, secured, repo, tokened):
    """Basic and token authentication: denied, and not as a missing repository."""
    for server in (secured, tokened):
        env = {'DXF_USERNAME': 'fred', 'DXF_PASSWORD': 'Xyzzy-42'}
        result = davit.run(*davit.tags(f'{server.host}/{repo}', '--ca-file', server.tls.ca), env=env)
        result.fails(4, server.host if server is secured else 'unauthorized|denied|password')
        assert 'Xyzzy' not in result.err
        dxf(server, **env).run('list-aliases', repo).fails(13, 'unauthorized')


def test_untrusted_certificate(davit, dxf, secured, authority, repo):
    """Says how to trust it."""
    davit.run(*davit.tags(f'{secured.host}/{repo}')).fails(7, 'certificate', '--ca-file')
    program = dxf(secured, DXF_USERNAME='fred', DXF_PASSWORD='x')
    del program.env['DXF_TLSVERIFY']
    program.run('list-aliases', repo).fails(1, 'certificate', 'DXF_TLSVERIFY')
    assert 'BEGIN' not in davit.run(*davit.tags(f'{secured.host}/{repo}')).err


def test_bad_ca_file(davit, secured, repo, work):
    """A CA file that is missing or not a certificate is named."""
    bad = work / 'bad.pem'
    bad.write_text('this is no certificate\n')
    for path in (bad, work / 'none.pem'):
        result = davit.run(*davit.tags(f'{secured.host}/{repo}', '--ca-file', path))
        assert result.fails(2, os.path.basename(path)).seconds < 1, 'tried again'
    result = davit.run(*davit.tags(f'{secured.host}/{repo}', '--cert', bad))
    assert result.fails(2, bad.name).seconds < 1, 'tried again'


@pytest.mark.parametrize('kind', ['deep', 'huge'])
@pytest.mark.parametrize('what', ['manifests/x', 'tags/list', '_catalog'])
def test_hostile_json(davit, dxf, proxy, kind, what):
    """Deep and huge JSON ends at a limit, with little memory and time."""
    n = 200_000 if kind == 'deep' else 80_000_000
    proxy.rules.set(Rule('answer', path=what, headers=JSON, body={'kind': kind, 'n': n}))
    args = {'manifests/x': davit.manifest('get', f'{proxy.host}/a/b:x'),
            'tags/list': davit.tags(f'{proxy.host}/a/b'), '_catalog': davit.repos(proxy.host)}[what]
    peak, result = davit.peak(*args)
    assert result.code == 1 and result.out == b'', result
    assert peak < 250_000 or sanitized(), f'{peak} KiB'
    result.argv = davit.command(*args)
    old = result.err.splitlines()
    result.err = '\n'.join(ln for ln in old if not ln.startswith('Command exited'))
    result.fails(1)
    words = {'manifests/x': ('get-alias', 'a/b', 'x'), 'tags/list': ('list-aliases', 'a/b'),
             '_catalog': ('list-repos',)}[what]
    dxf(proxy).run(*words).fails(1)


def test_wrong_json(davit, proxy):
    """The message says where in the reply the error is."""
    proxy.rules.set(Rule('answer', path='tags/list', headers=JSON, body='{"tags": ["a", 7]}'))
    davit.run(*davit.tags(f'{proxy.host}/a/b')).fails(1, 'tags[1]')


def test_endless_redirects(davit, dxf, proxy, work):
    """Given up after some."""
    proxy.rules.set(Rule('redirect', status=307, to='/again'))
    davit.run(*davit.pull(f'{proxy.host}/a/b', GOOD, work / 'x')).fails(1, 'redirect')
    assert len(proxy.log) <= 25
    dxf(proxy).run('pull-blob', 'a/b', GOOD).fails(1, 'redirect')
    assert not os.listdir(work)


@pytest.mark.parametrize('headers', [
    {'X-Flood': ['y' * 100] * 5000}, {'X-Flood': 'y' * 900_000}, {'X-Flood': ['y'] * 1000}])
def test_header_flood(davit, proxy, headers):
    """Too many or too long headers end at a limit."""
    proxy.rules.set(Rule('answer', headers={**JSON, **headers}, body='{"tags": []}'))
    davit.run(*davit.tags(f'{proxy.host}/a/b', '--retries', '0')).fails(1, 'header')


@pytest.mark.parametrize('status', [200, 404, 502])
def test_html(davit, dxf, proxy, status):
    """A web page instead of a registry; its markup is not shown as the message."""
    page = '<!DOCTYPE html><html><head><title>Log in</title></head><body>hello</body></html>'
    proxy.rules.set(Rule('answer', status=status, headers={'Content-Type': 'text/html'}, body=page))
    for args in (davit.tags(f'{proxy.host}/a/b', '--retries', '0'),
                 davit.repos(proxy.host, '--retries', '0'),
                 davit.manifest('get', f'{proxy.host}/a/b:x', '--retries', '0')):
        result = davit.run(*args).fails((1, 3, 8))
        assert '<html>' not in result.err and result.out == b''
    dxf(proxy).run('list-aliases', 'a/b').fails(2 if status == 404 else 1)


def test_html_is_no_success(davit, home, proxy, blob):
    """Where a status would be enough, a web page is still not taken for a registry's answer."""
    proxy.rules.set(Rule('answer', headers={'Content-Type': 'text/html; charset=utf-8'}, body='<html>'))
    item, where = blob(), f'{proxy.host}/a/b'
    for args in (('ping', proxy.host), ('login', proxy.host, '-u', 'fred', '-p', 'secret'),
                 ('blob', 'push', where, item.path), ('blob', 'stat', f'{where}@{item.digest}'),
                 ('blob', 'rm', f'{where}@{item.digest}'), ('manifest', 'stat', f'{where}:x')):
        result = davit.run('registry', *args).fails(1, proxy.host, 'HTML')
        assert result.out == b''
    assert not (home / '.docker').exists()


def test_proxy_password_is_not_shown(davit):
    """Also not when the proxy's URL is of no use."""
    for url in ('gopher://fred:hush@127.0.0.1:1', 'http://fred:hush@127.0.0.1:99999',
                'http://fred:hush@127.0.0.1:1'):
        result = davit.run('registry', 'tags', 'registry.invalid/a/b', '--proxy', url, '--retries', '0')
        result.fails((1, 2), 'proxy')
        assert 'hush' not in result.err


def test_closed_stdout(davit, registry, repo, stored):
    """A full device, a closed descriptor and a reader that went away are errors, not silence."""
    item = stored(2_000_000)
    args = davit.command(*davit.pull(f'{registry.host}/{repo}', item.digest))
    with open('/dev/full', 'wb') as full:
        davit.run(*args[1:], stdout=full).fails(1, 'no space left')
    davit.run('--version', preexec_fn=lambda: os.close(1)).fails(1, 'output')
    result = davit.run(*args[1:], preexec_fn=lambda: os.close(1))
    assert result.code == 1, result
    reader = subprocess.Popen(['head', '-c', '10'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    result = davit.run(*args[1:], stdout=reader.stdin)
    reader.communicate()
    assert result.code in (1, 141), result
    result.fails(result.code, 'pipe')


def test_dxf_closed_stdout(dxf, registry, repo, stored):
    """The same for dxf."""
    item = stored(2_000_000)
    with open('/dev/full', 'wb') as full:
        dxf(registry).run('pull-blob', repo, item.digest, stdout=full).fails(1, 'no space left')
        dxf(registry).run('list-repos', stdout=full).fails(1, 'no space left')
