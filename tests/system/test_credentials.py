"""Credentials from where users keep them: docker's and podman's files, helpers, netrc, DXF_*."""

import base64
import json

import pytest
from fake.client import helper_script
from fake.registries import PASSWORD, USER, Registry
from fake.rules import Rule

PAIR = base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()
HELPER = '''#!/bin/sh
# A credential helper that keeps what it is given in files beside itself.
cd "$(dirname "$0")" || exit 1
echo "$1" >> calls
case $1 in
get) read -r server || :
     printf '%s\\n' "$server" >> asked
     if [ -f answer ]; then cat answer; else echo 'credentials not found in native keychain'; exit 1; fi;;
store) cat > stored;;
erase) cat > erased;;
esac
'''


def docker_config(home, **members):
    """Write ~/.docker/config.json."""
    folder = home / '.docker'
    folder.mkdir(exist_ok=True)
    (folder / 'config.json').write_text(json.dumps(members))
    return folder / 'config.json'


@pytest.fixture
def listing(davit, secured, repo, blob):
    """A command that works only with fred's password: an empty repository would be 404 (3)."""
    item = blob(100)
    env = {'DXF_USERNAME': USER, 'DXF_PASSWORD': PASSWORD}
    ca = ('--ca-file', secured.tls.ca)
    davit.run(*davit.push(f'{secured.host}/{repo}', item.path, *ca), env=env).ok()
    return davit.stat(f'{secured.host}/{repo}', item.digest, *ca)


def test_none(davit, listing):
    """Without credentials: denied."""
    davit.run(*listing).fails(4, 'login|credential|unauthorized|authentication')


@pytest.mark.parametrize('form', [
    '{h}', 'https://{h}', 'https://{h}/', 'http://{h}', '{h}/', '{h}/v1/', 'https://{h}/v2/',
    'https://{h}/v1/'])
def test_docker_keys(davit, secured, home, listing, form):
    """All spellings of a key that docker has written in its history."""
    docker_config(home, auths={form.format(h=secured.host): {'auth': PAIR}})
    davit.run(*listing).ok()


@pytest.mark.parametrize('entry', [
    {'auth': PAIR}, {'username': USER, 'password': PASSWORD},
    {'auth': PAIR, 'email': 'x@example.invalid'}, {'auth': PAIR.rstrip('=')}])
def test_docker_entries(davit, secured, home, listing, entry):
    """auth, or username and password."""
    docker_config(home, auths={secured.host: entry})
    davit.run(*listing).ok()


def test_docker_config_dir(davit, secured, work, listing):
    """$DOCKER_CONFIG names the directory."""
    (work / 'config.json').write_text(json.dumps({'auths': {secured.host: {'auth': PAIR}}}))
    davit.run(*listing, env={'DOCKER_CONFIG': str(work)}).ok()


def test_other_host_is_no_hit(davit, home, listing):
    """Credentials of another host or port are not used."""
    docker_config(home, auths={'127.0.0.1:1': {'auth': PAIR}, '127.0.0.1': {'auth': PAIR}})
    davit.run(*listing).fails(4)


@pytest.mark.parametrize('member', ['credsStore', 'credHelpers'])
def test_helper(davit, secured, home, work, listing, member):
    """A helper program is asked over its standard input."""
    helper_script(work, 'docker-credential-fake', HELPER)
    (work / 'answer').write_text(json.dumps(
        {'ServerURL': secured.host, 'Username': USER, 'Secret': PASSWORD}))
    value = 'fake' if member == 'credsStore' else {secured.host: 'fake'}
    docker_config(home, **{member: value})
    env = {'PATH': f'{work}:{davit.env["PATH"]}'}
    davit.run(*listing, env=env).ok()
    assert secured.host in (work / 'asked').read_text()


def test_helper_wins_over_auths(davit, secured, home, work, listing):
    """credHelpers goes before auths."""
    helper_script(work, 'docker-credential-fake', HELPER)
    (work / 'answer').write_text(json.dumps({'Username': USER, 'Secret': PASSWORD}))
    wrong = base64.b64encode(b'fred:wrong').decode()
    docker_config(home, credHelpers={secured.host: 'fake'}, auths={secured.host: {'auth': wrong}})
    davit.run(*listing, env={'PATH': f'{work}:{davit.env["PATH"]}'}).ok()


def test_nobody_to_ask(davit, secured):
    """Without a terminal the message says how else to give the answer."""
    ca = ('--ca-file', secured.tls.ca)
    for args, option in ((('-u', USER), '--password-stdin'), ((), '--username')):
        result = davit.run('registry', 'login', secured.host, *args, *ca, start_new_session=True)
        result.fails(1, 'no terminal', option)


def test_two_passwords(davit):
    """Which of two passwords is meant cannot be known; they are not joined."""
    result = davit.run('registry', 'login', 'r.invalid', '-u', USER, '-p', 'x', '--password-stdin')
    result.fails(2, '--password and --password-stdin exclude each other')


def test_helper_missing_or_empty(davit, secured, home, work, listing):
    """A helper that is not installed, or knows nothing, does not hide the file's own entry."""
    docker_config(home, credsStore='desktop-not-there', auths={secured.host: {'auth': PAIR}})
    davit.run(*listing).ok()
    helper_script(work, 'docker-credential-fake', HELPER)
    docker_config(home, credsStore='fake')
    env = {'PATH': f'{work}:{davit.env["PATH"]}'}
    davit.run(*listing, env=env).fails(4)


@pytest.mark.parametrize('answer', ['{', '[]', '{"Username": 3}'])
def test_helper_talks_nonsense(davit, home, work, listing, answer):
    """The helper is named; its output is not shown."""
    helper_script(work, 'docker-credential-fake', HELPER)
    (work / 'answer').write_text(answer)
    docker_config(home, credsStore='fake')
    env = {'PATH': f'{work}:{davit.env["PATH"]}'}
    davit.run(*listing, env=env).fails((1, 4), 'docker-credential-fake|fake')


@pytest.mark.parametrize('place', ['REGISTRY_AUTH_FILE', 'XDG_RUNTIME_DIR', 'HOME'])
def test_podman(davit, secured, home, work, listing, place):
    """podman's auth.json in its three places."""
    text = json.dumps({'auths': {secured.host: {'auth': PAIR}}})
    path = {'REGISTRY_AUTH_FILE': work / 'a.json', 'XDG_RUNTIME_DIR': work / 'containers/auth.json',
            'HOME': home / '.config/containers/auth.json'}[place]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    env = {'REGISTRY_AUTH_FILE': {'REGISTRY_AUTH_FILE': str(path)},
           'XDG_RUNTIME_DIR': {'XDG_RUNTIME_DIR': str(work)}, 'HOME': {}}[place]
    davit.run(*listing, env=env).ok()


def test_podman_longest_prefix(davit, secured, repo, work, listing):
    """A key with a path is for that part of the registry only, and goes before the host's."""
    wrong = base64.b64encode(b'fred:wrong').decode()
    path = work / 'auth.json'
    env = {'REGISTRY_AUTH_FILE': str(path)}
    path.write_text(json.dumps({'auths': {secured.host: {'auth': wrong},
                                          f'{secured.host}/{repo}': {'auth': PAIR}}}))
    davit.run(*listing, env=env).ok()
    path.write_text(json.dumps({'auths': {f'{secured.host}/{repo}x': {'auth': PAIR}}}))
    davit.run(*listing, env=env).fails(4)


def test_netrc(davit, dxf, secured, repo, home, work, listing):
    """netrc, for both programs."""
    host = secured.host.partition(':')[0]
    text = f'machine {host}\n\tlogin anna\n\tpassword simple\n'
    (work / 'netrc').write_text(text)
    (work / 'netrc').chmod(0o600)
    davit.run(*listing, env={'NETRC': str(work / 'netrc')}).ok()
    davit.run(*listing).fails(4)
    (home / '.netrc').write_text(text)
    (home / '.netrc').chmod(0o600)
    davit.run(*listing).ok()
    dxf(secured).run('list-repos').ok()


def test_dxf_variables(davit, dxf, secured, repo, listing):
    """DXF_USERNAME and DXF_PASSWORD, DXF_AUTHORIZATION."""
    pair = {'DXF_USERNAME': USER, 'DXF_PASSWORD': PASSWORD}
    whole = {'DXF_AUTHORIZATION': f'Basic {PAIR}'}
    for env in (pair, whole):
        davit.run(*listing, env=env).ok()
        assert repo in dxf(secured, **env).run('list-repos').ok().text
    dxf(secured, DXF_USERNAME=USER).run('list-repos').fails(13)


def test_login_and_logout(davit, secured, home, listing):
    """login checks, then stores in docker's file with mode 0600; logout removes it."""
    path = docker_config(home, auths={'other.invalid': {'auth': PAIR}}, detachKeys='ctrl-q')
    ca = ('--ca-file', secured.tls.ca)
    davit.run(*davit.login(secured.host, USER, *ca), stdin=b'wrong\n').fails(4)
    davit.run(*listing).fails(4)
    result = davit.run(*davit.login(secured.host, USER, *ca), stdin=PASSWORD.encode() + b'\n').ok()
    assert PASSWORD not in result.text + result.err
    davit.run(*listing).ok()
    saved = json.loads(path.read_text())
    assert saved['detachKeys'] == 'ctrl-q' and 'other.invalid' in saved['auths']
    assert path.stat().st_mode & 0o777 == 0o600
    davit.run(*davit.logout(secured.host)).ok()
    davit.run(*listing).fails(4)
    assert 'other.invalid' in json.loads(path.read_text())['auths']


@pytest.mark.parametrize('form', ['{h}', 'https://{h}', 'https://{h}/'])
def test_login_by_url(davit, secured, home, listing, form):
    """A host and its URL are the same; what is kept does not depend on how it was written."""
    where = form.format(h=secured.host)
    ca = ('--ca-file', secured.tls.ca)
    davit.run(*davit.login(where, USER, *ca), stdin=PASSWORD.encode()).ok()
    saved = json.loads((home / '.docker/config.json').read_text())
    assert list(saved['auths']) == [secured.host]
    davit.run(*listing).ok()
    davit.run(*davit.logout(where)).ok()
    davit.run(*listing).fails(4)


def test_login_by_http_url(davit, home):
    """http:// is --plain-http: TLS is not asked for; contradictions are usage errors."""
    with Registry(users={USER: PASSWORD}) as plain:
        env = {'DAVIT_DEBUG': 'http'}
        args = davit.login(f'http://{plain.host}', USER)
        result = davit.run(*args, stdin=PASSWORD.encode(), env=env).ok()
        assert 'for TLS' not in result.err
        davit.run(*args, '--no-plain-http', stdin=PASSWORD.encode()).fails(2, '--no-plain-http')
        davit.run(*davit.login(f'https://{plain.host}', USER, '--plain-http'),
                  stdin=PASSWORD.encode()).fails(2, '--plain-http')
        davit.run(*davit.logout(f'http://{plain.host}')).ok()
        assert not json.loads((home / '.docker/config.json').read_text())['auths']


def test_login_with_helper(davit, secured, home, work, listing):
    """With a credsStore the helper keeps the password, the file does not."""
    helper_script(work, 'docker-credential-fake', HELPER)
    path = docker_config(home, credsStore='fake')
    env = {'PATH': f'{work}:{davit.env["PATH"]}'}
    ca = ('--ca-file', secured.tls.ca)
    davit.run(*davit.login(secured.host, USER, *ca), stdin=PASSWORD.encode(), env=env).ok()
    kept = json.loads((work / 'stored').read_text())
    assert kept['Username'] == USER and kept['Secret'] == PASSWORD
    assert PAIR not in path.read_text() and PASSWORD not in path.read_text()
    davit.run(*davit.logout(secured.host), env=env).ok()
    assert secured.host in (work / 'erased').read_text()


def test_no_credentials_over_http(davit, dxf, repo, blob):
    """Over http credentials go to loopback only; dxf keeps its own rule and never sends them."""
    with Registry(users={USER: PASSWORD}) as plain:
        env = {'DXF_USERNAME': USER, 'DXF_PASSWORD': PASSWORD}
        item = blob(10)
        davit.run(*davit.push(f'{plain.host}/{repo}', item.path), env=env).ok()
        dxf(plain, **env).run('list-repos').fails(1, 'https')


@pytest.mark.parametrize('given', [('--token', 'abc'), ('-u', USER, '-p', 'wrong')])
def test_warns_over_http(davit, other, given):
    """Credentials go over http to another machine with --insecure only, and then with a warning."""
    challenge = Rule('answer', status=401, headers={'WWW-Authenticate': 'Basic realm="x"'})
    tags = Rule('answer', body='{"name":"a","tags":["x"]}', skip=given[0] == '-u',
                headers={'Content-Type': 'application/json'})
    other.rules.set(challenge)
    args = davit.tags('registry.example:80/a', '--plain-http', '--proxy', f'http://{other.host}', *given)
    result = davit.run(*args)
    assert 'warning' not in result.err
    assert not [s for s in other.log if 'authorization' in s.headers]
    other.rules.set(tags, challenge)
    result = davit.run(*args, '--insecure').ok()
    assert result.err.count('warning: the credentials') == 1
    assert [s for s in other.log if 'authorization' in s.headers]


def test_secrets_are_not_traced(davit, listing):
    """DAVIT_DEBUG=http shows requests without what must stay secret."""
    env = {'DXF_USERNAME': USER, 'DXF_PASSWORD': PASSWORD, 'DAVIT_DEBUG': 'http'}
    result = davit.run(*listing, env=env).ok()
    assert '/v2/' in result.err and 'HTTP' in result.err.upper()
    assert PAIR not in result.err and PASSWORD not in result.err
