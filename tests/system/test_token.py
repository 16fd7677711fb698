"""Token authentication, and that credentials never reach another host."""

import base64
import json
import subprocess
import time

import pytest
from fake.faultproxy import FaultProxy
from fake.registries import PASSWORD, USER, Registry
from fake.rules import Rule

FRED = {'DXF_USERNAME': USER, 'DXF_PASSWORD': PASSWORD}
BLOB = '/blobs/sha256:'
SECRET_HEADERS = ('authorization', 'cookie', 'proxy-authorization')


@pytest.fixture
def ca(authority):
    """Options that trust the test's authority."""
    return ('--ca-file', authority.ca)


def test_push_and_pull(davit, dxf, tokened, tokens, ca, repo, blob, work):
    """Tokens are got when asked for, with the scope of the challenge, and reused."""
    item = blob()
    davit.run(*davit.push(f'{tokened.host}/{repo}', item.path, *ca), env=FRED).ok()
    asked = [scope for entry in tokens.log for scope in entry['scopes']]
    assert f'repository:{repo}:pull,push' in asked or f'repository:{repo}:push,pull' in asked
    assert len(tokens.log) <= 2 and all(entry['user'] == USER for entry in tokens.log)
    davit.run(*davit.pull(f'{tokened.host}/{repo}', item.digest, work / 'x', *ca), env=FRED).ok()
    assert (work / 'x').read_bytes() == item.data
    got = dxf(tokened, **FRED).run('pull-blob', repo, item.digest).ok()
    assert got.out == item.data


def test_not_allowed(davit, tokened, ca, repo, blob):
    """bob may only read: denied after one try, not for ever."""
    env = {'DXF_USERNAME': 'bob', 'DXF_PASSWORD': 'b'}
    result = davit.run(*davit.push(f'{tokened.host}/{repo}', blob().path, *ca), env=env)
    result.fails(4, 'denied|unauthorized|not allowed|access')


def test_refusals_are_told_apart(davit, tokened, tokens, ca, repo):
    """Without credentials, with wrong ones, with a token of no use: what was refused, by whom, what to do.
    (The token server says that the password is wrong to all of them.)"""
    args = davit.tags(f'{tokened.host}/{repo}', *ca)
    davit.run(*args).fails(4, tokens.host, 'without credentials', 'log in')
    wrong = davit.run(*args, '-u', USER, '-p', 'wrong')
    wrong.fails(4, tokens.host, 'refused the user name or password', 'log in again')
    given = davit.run(*args, '--token', 'nonsense')
    given.fails(4, tokens.host, 'given token, which was refused', 'valid token')
    assert 'wrong' not in given.err


def test_identity_token(davit, tokened, tokens, ca, home, repo, blob):
    """docker's identitytoken is a refresh token: OAuth2 by POST."""
    (home / '.docker').mkdir()
    auth = base64.b64encode(b'00000000-0000-0000-0000-000000000000:').decode()
    (home / '.docker/config.json').write_text(json.dumps({'auths': {tokened.host: {
        'auth': auth, 'identitytoken': 'identity-of-fred'}}}))
    davit.run(*davit.push(f'{tokened.host}/{repo}', blob().path, *ca)).ok()
    assert tokens.log and all(entry['method'] == 'POST' for entry in tokens.log)
    form = tokens.log[-1]['form']
    assert form['grant_type'] == 'refresh_token' and form['client_id'] and form['service']


@pytest.mark.parametrize('field', ['token', 'access_token'])
def test_answer_forms(davit, dxf, tokened, tokens, ca, repo, blob, field):
    """token or access_token, without expires_in."""
    tokens.field, tokens.expires_in = field, None
    davit.run(*davit.push(f'{tokened.host}/{repo}', blob().path, *ca), env=FRED).ok()
    dxf(tokened, **FRED).run('list-repos').ok()


def test_token_commands(davit, dxf, tokened, ca, repo, blob):
    """A token that is printed can be used instead of a password."""
    davit.run(*davit.push(f'{tokened.host}/{repo}', blob().path, *ca), env=FRED).ok()
    token = dxf(tokened, **FRED).run('auth', repo, 'pull').ok().text.strip()
    assert token.count('.') == 2
    dxf(tokened, DXF_TOKEN=token).run('list-aliases', repo).fails(2)
    printed = davit.run(*davit.token(f'{tokened.host}/{repo}', 'pull', *ca), env=FRED).ok()
    assert printed.text.strip().count('.') == 2


def test_several_scopes(davit, tokened, tokens, ca, repo, blob):
    """Mounting needs to read one repository and write the other."""
    item = blob()
    davit.run(*davit.push(f'{tokened.host}/{repo}', item.path, *ca), env=FRED).ok()
    tokens.log.clear()
    davit.run(*davit.mount(f'{tokened.host}/{repo}-2', repo, item.digest, *ca), env=FRED).ok()
    asked = {scope for entry in tokens.log for scope in entry['scopes']}
    assert any(s.startswith(f'repository:{repo}:') for s in asked)
    assert any(s.startswith(f'repository:{repo}-2:') for s in asked)
    davit.run(*davit.stat(f'{tokened.host}/{repo}-2', item.digest, *ca), env=FRED).ok()


@pytest.mark.parametrize('at', ['POST', 'PUT'])
def test_expiry_in_the_middle(davit, authority, tokens, ca, repo, blob, at):
    """A token that is refused in the middle of a push: a new one is got, and the blob arrives whole."""
    item = blob(2_000_000)
    challenge = (f'Bearer realm="{tokens.realm}",service="{tokens.service}",'
                 f'scope="repository:{repo}:pull,push",error="invalid_token"')
    with Registry(tokens=tokens) as backend, FaultProxy(backend.host, tls=authority) as proxy:
        proxy.rules.set(Rule('refuse', method=at, path='/blobs/', times=1,
                             status=401, headers={'WWW-Authenticate': challenge}))
        davit.run(*davit.push(f'{proxy.host}/{repo}', item.path, *ca), env=FRED).ok()
        assert len([s for s in proxy.log if s.status == 401]) >= 1
        whole = [s for s in proxy.requests('PUT') if s.status == 201]
        assert [s.body_bytes for s in whole] == [len(item.data)]
        davit.run(*davit.stat(f'{proxy.host}/{repo}', item.digest, *ca), env=FRED).ok()


def test_expiry_in_a_stream(davit, authority, tokens, ca, repo, blob):
    """A stream cannot be sent twice: it ends well or with a clear error, never with half a blob."""
    item = blob(2_000_000)
    tokens.expires_in = 1
    with Registry(tokens=tokens) as backend, FaultProxy(backend.host, tls=authority) as proxy:
        process = davit.start(*davit.push(f'{proxy.host}/{repo}', '-', *ca), env=davit.env | FRED,
                              stdin=subprocess.PIPE)
        process.stdin.write(item.data[:1_000_000])
        process.stdin.flush()
        time.sleep(2.5)
        out, err = process.communicate(item.data[1_000_000:], timeout=60)
        assert process.returncode == 0, err
        assert item.digest.encode() in out
        davit.run(*davit.stat(f'{proxy.host}/{repo}', item.digest, *ca), env=FRED).ok()
        assert not backend.uploads()


def test_short_tokens(davit, tokened, tokens, ca, repo, blob, work):
    """Tokens of two seconds, and a transfer that lasts longer."""
    tokens.expires_in = 2
    item = blob(400_000)
    davit.run(*davit.push(f'{tokened.host}/{repo}', item.path, *ca), env=FRED).ok()
    time.sleep(0.1)
    davit.run(*davit.pull(f'{tokened.host}/{repo}', item.digest, work / 'x', *ca), env=FRED).ok()


def leaks(other):
    """Requests at the other host that carried a secret."""
    return [(s.method, s.target) for s in other.log
            if any(name in s.headers for name in SECRET_HEADERS)]


@pytest.fixture
def guarded(registry):
    """A registry that wants Basic credentials (the proxy asks for them), and its proxy."""
    with FaultProxy(registry.host) as p:
        yield p


def ask_first(proxy, *rules):
    """Rules: 401 for the first request, then the given ones."""
    challenge = {'WWW-Authenticate': 'Basic realm="test"'}
    proxy.rules.set(Rule('answer', status=401, headers=challenge, times=1), *rules)


def test_redirect_to_another_host(davit, guarded, other, repo, stored, work):
    """The download goes on at another host, without Authorization."""
    item = stored()
    other.rules.set(Rule('answer', path=BLOB, body=item.data))
    ask_first(guarded, Rule('redirect', path=BLOB, status=307, to=other.url))
    args = davit.pull(f'{guarded.host}/{repo}', item.digest, work / 'x')
    davit.run(*args, env=FRED).ok()
    assert (work / 'x').read_bytes() == item.data
    assert any('authorization' in s.headers for s in guarded.log), 'the test did not authenticate'
    assert other.requests('GET', BLOB) and not leaks(other)


@pytest.mark.parametrize('stream', [False, True])
def test_upload_location_on_another_host(davit, guarded, other, repo, blob, stream):
    """The upload goes on at the other host, without Authorization."""
    item = blob()
    answer = {'Location': '/v2/done', 'Docker-Content-Digest': item.digest, 'Range': '0-99999'}
    other.rules.set(Rule('answer', method='PATCH', status=202,
                         headers={**answer, 'Location': f'{other.url}/v2/up/2'}),
                    Rule('answer', method='PUT', status=201, headers=answer),
                    Rule('answer', method='DELETE', status=204))
    ask_first(guarded, Rule('location', method='POST', path='/uploads/', to=other.url))
    args = davit.push(f'{guarded.host}/{repo}', '-' if stream else item.path)
    davit.run(*args, env=FRED, stdin=item.data if stream else b'')
    assert other.log and not leaks(other)
    assert any('authorization' in s.headers for s in guarded.log), 'the test did not authenticate'


def test_dxf_upload_location_on_another_host(dxf, authority, other, registry, repo, blob):
    """dxf too, where python-dxf leaks."""
    item = blob()
    other.rules.set(Rule('answer', method='PUT', status=201))
    with FaultProxy(registry.host, tls=authority) as guarded, \
            FaultProxy(name='localhost', tls=authority) as elsewhere:
        elsewhere.rules.set(Rule('answer', method='PUT', status=201))
        ask_first(guarded, Rule('location', method='POST', path='/uploads/', to=elsewhere.url))
        dxf(guarded, DXF_TLSVERIFY=authority.ca, **FRED).run('push-blob', repo, item.path)
        assert elsewhere.log and not leaks(elsewhere)
        assert any('authorization' in s.headers for s in guarded.log)


def test_token_server_over_http(davit, authority, registry, other, ca, repo):
    """A token server that speaks plain http and is not loopback gets no password. (It is reached here
    through an http proxy, which sees all.)"""
    other.rules.set(Rule('answer', status=200, body='{"token": "abc"}'))
    env = FRED | {'http_proxy': f'http://127.0.0.1:{other.port}'}
    with FaultProxy(registry.host, tls=authority) as p:
        p.rules.set(Rule('answer', status=401, headers={
            'WWW-Authenticate': 'Bearer realm="http://registry.invalid/token",service="x"'}))
        result = davit.run(*davit.tags(f'{p.host}/{repo}', '--retries', '0', *ca), env=env)
        assert result.code in (1, 4), result
    assert not leaks(other)


def test_tls_downgrade(davit, authority, other, registry, repo, stored, ca, work):
    """From https to http of the same host is another origin."""
    item = stored()
    other.rules.set(Rule('answer', body=item.data))
    with FaultProxy(registry.host, tls=authority) as p:
        ask_first(p, Rule('redirect', path=BLOB, status=307, to=f'http://127.0.0.1:{other.port}'))
        davit.run(*davit.pull(f'{p.host}/{repo}', item.digest, work / 'x', *ca), env=FRED)
    assert not leaks(other)
