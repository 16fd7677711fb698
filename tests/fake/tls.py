"""Certificates made at run time with the openssl command: an authority and what it signs."""

import os
import ssl
import subprocess

NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']


def openssl(*args, cwd=None, data=None):
    """Run openssl and return its output; RuntimeError with its words if it fails."""
    run = subprocess.run(['openssl', *args], cwd=cwd, input=data if data is not None else b'',
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode:
        raise RuntimeError(f'openssl {args[0]}: ' + run.stderr.decode('utf-8', 'replace').strip())
    return run.stdout


class Authority:
    """A certificate authority of this run, in `directory`; `ca` is the path of its certificate."""

    def __init__(self, directory, name='davit test CA'):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.directory = directory
        self.ca = os.path.join(directory, 'ca.pem')
        self.serial = 1
        openssl('req', '-x509', *NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
                '-subj', f'/CN={name}', '-addext', 'keyUsage=critical,keyCertSign', cwd=directory)

    def issue(self, name, *, usage='serverAuth', days=2,
              names=('DNS:localhost', 'IP:127.0.0.1', 'IP:127.0.0.2')):
        """Make NAME.pem and NAME.key; returns both paths. Negative days: it has expired."""
        self.serial += 1
        with open(os.path.join(self.directory, 'ext'), 'w', encoding='ascii') as f:
            f.write('basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
                    f'extendedKeyUsage={usage}\nsubjectAltName={",".join(names)}\n')
        openssl('req', *NEW_KEY, '-keyout', f'{name}.key', '-out', f'{name}.csr',
                '-subj', f'/CN={name}', cwd=self.directory)
        openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
                '-set_serial', str(self.serial), '-days', str(days), '-extfile', 'ext',
                '-out', f'{name}.pem', cwd=self.directory)
        return (os.path.join(self.directory, f'{name}.pem'),
                os.path.join(self.directory, f'{name}.key'))

    def context(self, name='server', **how):
        """A server's TLS context with a new certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, **how))
        context.set_alpn_protocols(['http/1.1'])
        return context
