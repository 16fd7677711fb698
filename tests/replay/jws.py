"""Docker schema 1 manifests: split off and verify the JWS signatures (ES256 only).

A signed manifest is the unsigned text with a "signatures" member put before its last brace. Every
signature's protected header says where: formatLength bytes of the text, then formatTail, are what
was signed. The mathematics is left to the openssl command.
"""

import base64
import json
import os
import subprocess
import tempfile

# SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point itself
SPKI_P256 = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')


class BadSignature(Exception):
    """The text is no schema 1 manifest with valid signatures; the message says why."""


def _b64url(text, what):
    if not isinstance(text, str) or '=' in text:
        raise BadSignature(f'{what}: expected base64url without padding, got {text!r}')
    try:
        return base64.b64decode(text + '=' * (-len(text) % 4), altchars=b'-_', validate=True)
    except ValueError as ex:
        raise BadSignature(f'{what}: {ex}') from ex


def is_signed(text):
    """True for the text of a schema 1 manifest that carries signatures."""
    if isinstance(text, bytes):
        text = text.decode('utf-8', 'replace')
    if '"signatures"' not in text:
        return False
    try:
        doc = json.loads(text)
    except ValueError:
        return False
    return isinstance(doc, dict) and doc.get('schemaVersion') == 1


def _der_integer(raw):
    raw = raw.lstrip(b'\0') or b'\0'
    if raw[0] & 0x80:
        raw = b'\0' + raw
    return bytes([2, len(raw)]) + raw


def _verify_es256(jwk, signature, data):
    if jwk.get('kty') != 'EC' or jwk.get('crv') != 'P-256':
        raise BadSignature(f'jwk: expected an EC key on P-256, got {jwk!r}')
    point = _b64url(jwk.get('x'), 'jwk.x') + _b64url(jwk.get('y'), 'jwk.y')
    if len(point) != 64 or len(signature) != 64:
        raise BadSignature('x and y of the key and the signature need 32, 32 and 64 bytes')
    integers = _der_integer(signature[:32]) + _der_integer(signature[32:])
    with tempfile.TemporaryDirectory(prefix='replay-jws-') as tmp:
        paths = {}
        for name, content in (('key', SPKI_P256 + point), ('data', data),
                              ('sig', bytes([0x30, len(integers)]) + integers)):
            paths[name] = os.path.join(tmp, name)
            with open(paths[name], 'wb') as f:
                f.write(content)
        run = subprocess.run(['openssl', 'dgst', '-sha256', '-keyform', 'DER',
                              '-verify', paths['key'], '-signature', paths['sig'], paths['data']],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
    if run.returncode != 0:
        raise BadSignature('the signature does not fit the text and the key in the manifest')


def payload(text, verify=True):
    """The unsigned bytes of a signed manifest (bytes). Raises BadSignature unless all fit."""
    try:
        signatures = json.loads(text)['signatures']
    except (ValueError, KeyError, TypeError) as ex:
        raise BadSignature(f'no signed manifest: {ex!r}') from ex
    if not isinstance(signatures, list) or not signatures:
        raise BadSignature('"signatures" is no list with entries')
    unsigned = None
    for sig in signatures:
        try:
            protected, header = sig['protected'], sig['header']
            head = json.loads(_b64url(protected, 'protected'))
            part = text[:head['formatLength']] + _b64url(head['formatTail'], 'formatTail')
            if header['alg'] != 'ES256':
                raise BadSignature(f'alg: expected ES256, got {header["alg"]!r}')
            raw, jwk = _b64url(sig['signature'], 'signature'), header['jwk']
        except (KeyError, TypeError, ValueError) as ex:
            raise BadSignature(f'signature entry: {ex!r}') from ex
        encoded = base64.urlsafe_b64encode(part).rstrip(b'=')
        if 'payload' in sig and sig['payload'].encode() != encoded:
            raise BadSignature('the payload member differs from the text before the signatures')
        if unsigned not in (None, part):
            raise BadSignature('the signatures cover different texts')
        if verify:
            _verify_es256(jwk, raw, protected.encode() + b'.' + encoded)
        unsigned = part
    return unsigned
