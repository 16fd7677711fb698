"""Docker schema 1: written, signed, where a registry answers 400 to schema 2; read and verified."""

import json

import pytest
from fake.faultproxy import FaultProxy
from fake.registries import Registry
from fake.rules import Rule

V2 = 'application/vnd.docker.distribution.manifest.v2+json'


@pytest.fixture(scope='module')
def old():
    """A registry that accepts schema 1."""
    with Registry(schema1=True) as r:
        yield r


@pytest.fixture
def front(old):
    """Before it a proxy that answers 400 to the first PUT of a manifest, the schema 2 one."""
    with FaultProxy(old.host) as p:
        p.rules.set(Rule('answer', method='PUT', path='/manifests/', status=400, times=1,
                         body='{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}'))
        yield p


@pytest.mark.parametrize('which', ['davit', 'dxf'])
def test_fallback(davit, dxf, front, old, repo, blob, which):
    """The registry accepts our signature, and we verify what comes back."""
    items = [blob(1000), blob(2000)]
    digests = [item.digest for item in items]
    program = dxf(front)
    for item in items:
        program.run('push-blob', repo, item.path).ok()
    if which == 'dxf':
        text = program.run('set-alias', repo, 'one', *digests).ok().text
        written = json.loads(text)
        assert written['schemaVersion'] == 1 and len(written['signatures']) == 1
        assert [x['blobSum'] for x in written['fsLayers']] == digests
    else:
        davit.run(*davit.alias('set', f'{front.host}/{repo}', 'one', *digests)).ok()
    puts = front.requests('PUT', '/manifests/one')
    assert [p.status for p in puts] == [400, 201]
    assert program.run('get-alias', repo, 'one').ok().text.split() == digests
    got = davit.run(*davit.alias('get', f'{front.host}/{repo}', 'one')).ok().text
    assert all(digest in got for digest in digests)
    assert program.run('blob-size', repo, '@one').ok().text == '3000\n'
    assert program.run('pull-blob', repo, '@one').ok().out == items[0].data + items[1].data
    program.run('get-digest', repo, 'one').fails(1)


def test_changed_signature(davit, dxf, front, repo, blob):
    """One changed byte of a signed manifest is found."""
    item = blob(1000)
    program = dxf(front)
    program.run('push-blob', repo, item.path).ok()
    text = program.run('set-alias', repo, 'one', item.digest).ok().out
    text = text.replace(b'"signature": "', b'"signature":"')
    for old, new in ((b'"one"', b'"two"'), (b'"signature":"', b'"signature":"AAAA')):
        assert old in text
        front.rules.set(Rule('answer', method='GET', path='/manifests/one',
                             headers={'Content-Type': 'application/vnd.docker.distribution.'
                                                      'manifest.v1+prettyjws'},
                             body=text.replace(old, new, 1)))
        program.run('get-alias', repo, 'one').fails(1)
        davit.run(*davit.alias('get', f'{front.host}/{repo}', 'one')).fails((1, 6))


def test_no_fallback_for_other_errors(davit, proxy, registry, repo, stored):
    """Only 400 means: write schema 1."""
    item = stored(100)
    proxy.rules.set(Rule('answer', method='PUT', path='/manifests/', status=403,
                         body='{"errors":[{"code":"DENIED","message":"no"}]}'))
    davit.run(*davit.alias('set', f'{proxy.host}/{repo}', 'x', item.digest)).fails(4)
    assert len(proxy.requests('PUT', '/manifests/')) == 1
    assert proxy.requests('PUT', '/manifests/')[0].headers['content-type'] == V2
