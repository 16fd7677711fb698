"""A token server as docker-registry's token authentication wants it (RS256), for tests.

GET  /token?service=…&scope=…      anonymous or with Basic credentials
POST /token  grant_type=refresh_token | password     OAuth2, as docker does with identity tokens

Every request is kept in `log`. A user may have `repos`: {name or '*': actions}, default all.
The user '' stands for anonymous requests; without it they get 401.
"""

import base64
import contextlib
import hashlib
import http.server
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
from urllib.parse import parse_qs, urlsplit

from fake.tls import openssl

ALL = {'*': ['pull', 'push', 'delete', '*']}


def b64url(data):
    """Base64 for URLs without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def key_id(certificate):
    """libtrust's fingerprint of a certificate's key: 30 bytes of SHA-256 in base32, in fours."""
    public = openssl('x509', '-in', certificate, '-noout', '-pubkey')
    der = openssl('pkey', '-pubin', '-outform', 'DER', data=public)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ':'.join(text[i:i + 4] for i in range(0, len(text), 4))


class TokenServer:
    """A running token server; a context manager. Members may be changed while it runs.

    users       {name: {'password', 'repos'?, 'identity'?}}; identity is a refresh token
    expires_in  seconds that a token is valid; None: the answer does not say (and it is 60)
    field       member of the answer that holds the token: token, access_token or both
    tls         an Authority for https, or None
    """

    def __init__(self, *, users, expires_in=300, field='both', tls=None):
        self.users, self.expires_in, self.field, self.tls = users, expires_in, field, tls
        self.issuer, self.service = 'davit test issuer', 'davit-test-registry'
        self.log, self.directory, self.server = [], None, None

    @property
    def host(self):
        """`127.0.0.1:PORT`."""
        return f'127.0.0.1:{self.server.server_port}'

    @property
    def realm(self):
        """URL of the token end point."""
        return f'{"https" if self.tls else "http"}://{self.host}/token'

    def sign(self, claims):
        """A JWT with these claims."""
        header = {'typ': 'JWT', 'alg': 'RS256', 'kid': self.kid}
        text = '.'.join(b64url(json.dumps(part).encode()) for part in (header, claims))
        signature = openssl('dgst', '-sha256', '-sign', self.key, data=text.encode())
        return f'{text}.{b64url(signature)}'

    def token(self, user, scopes, seconds=None):
        """A token for what `user` may do of `scopes`; negative seconds: it has expired."""
        now = int(time.time())
        seconds = seconds if seconds is not None else (self.expires_in or 60)
        return self.sign({
            'iss': self.issuer, 'sub': user, 'aud': self.service, 'jti': uuid.uuid4().hex,
            'iat': now, 'nbf': now - 120, 'exp': now + seconds,
            'access': [a for a in (self._grant(user, s) for s in scopes) if a]})

    def _grant(self, user, scope):
        kind, _, rest = scope.partition(':')
        name, _, actions = rest.rpartition(':')
        allowed = self.users[user].get('repos', ALL)
        allowed = allowed.get(name, allowed.get('*', []))
        given = [a for a in actions.split(',') if a in allowed]
        return {'type': kind, 'name': name, 'actions': given} if given else None

    def _by_password(self, name, password):
        known = self.users.get(name)
        return name if name and known and known.get('password') == password else None

    def who(self, authorization, form):
        """Name of the user whom this request authenticates ('' = anonymous) or None: refused."""
        grant = form.get('grant_type')
        if grant == 'refresh_token':
            return next((name for name, u in self.users.items()
                         if u.get('identity') and u['identity'] == form.get('refresh_token')), None)
        if grant == 'password':
            return self._by_password(form.get('username'), form.get('password'))
        if not authorization:
            return '' if '' in self.users and not form else None
        with contextlib.suppress(ValueError):
            scheme, _, value = authorization.partition(' ')
            name, _, password = base64.b64decode(value, validate=True).decode().partition(':')
            if scheme.lower() == 'basic':
                return self._by_password(name, password)
        return None

    def answer(self, method, target, headers, body):
        """Status and JSON of the answer to a request; the request is logged."""
        query = parse_qs(urlsplit(target).query, keep_blank_values=True)
        form = {k: v[-1] for k, v in parse_qs(body.decode('latin-1')).items()}
        scopes = query.get('scope', [])
        if method == 'POST':
            scopes = form.get('scope', '').split()
        user = self.who(headers.get('Authorization'), form)
        self.log.append({'method': method, 'target': target, 'query': query, 'form': form,
                         'authorization': headers.get('Authorization'), 'scopes': scopes,
                         'user': user, 'time': time.time()})
        if user is None:
            return 401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'wrong user or password'}]}
        text = self.token(user, scopes)
        names = ('token', 'access_token') if self.field == 'both' else (self.field,)
        reply = dict.fromkeys(names, text)
        if self.expires_in is not None:
            reply |= {'expires_in': self.expires_in,
                      'issued_at': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}
        if form.get('access_type') == 'offline' and self.users[user].get('identity'):
            reply['refresh_token'] = self.users[user]['identity']
        return 200, reply

    def start(self):
        """Make the keys and listen."""
        self.directory = tempfile.mkdtemp(prefix='davit-token-')
        self.key = os.path.join(self.directory, 'key.pem')
        self.certificate = os.path.join(self.directory, 'cert.pem')
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.key, '-out',
                self.certificate, '-days', '2', '-subj', '/CN=token')
        self.kid = key_id(self.certificate)
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Hands requests to the TokenServer."""
            protocol_version = 'HTTP/1.1'

            def _any(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                status, reply = owner.answer(self.command, self.path, self.headers, body)
                text = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = _any

            def log_message(self, format, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            """Handshakes in the connection's thread, not in the accept loop."""
            daemon_threads = True

            def finish_request(self, request, client_address):
                if owner.context:
                    request = owner.context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)

            def handle_error(self, request, client_address):
                pass

        self.context = self.tls.context('token') if self.tls else None
        self.server = Server(('127.0.0.1', 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """Stop listening and remove the keys."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
