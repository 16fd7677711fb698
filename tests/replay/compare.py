"""What must be equal, and the words for what is not. All values are in recorded words.

Every function returns a list of differences, each one line or a few.
"""

import hashlib
import re

import jws
import transcript

TRACEBACK = 'Traceback (most recent call last):'
SHOWN = 240


def show(data):
    """Bytes or text for people, cut."""
    text = data.decode('utf-8', 'backslashreplace') if isinstance(data, bytes) else data
    cut = text if len(text) <= SHOWN else text[:SHOWN] + f'… ({len(data)} in all)'
    return repr(cut)


def two(what, want, got):
    """The usual form of a difference; long values are shown from where they differ."""
    start = 0
    if isinstance(want, (str, bytes)) and isinstance(got, type(want)):
        while start < min(len(want), len(got)) and want[start] == got[start]:
            start += 1
        start = start - 20 if start > SHOWN // 2 else 0
        want, got = show(want[start:]), show(got[start:])
    at = f' (from offset {start})' if start else ''
    return f'{what}{at}:\n  expected {want}\n  got      {got}'


class SignedTexts:
    """Signed schema 1 manifests made by the client: each run has a fresh key, so they are compared
    by verifying the signature and comparing what is signed. Texts that the client was given (on
    stdin or in a response) are not made by it and must be equal; the same recorded text must be the
    same text wherever it occurs in a step (what is printed is what was uploaded)."""

    def __init__(self, step):
        self.given = {transcript.body_bytes(step.get('stdin'))}
        self.given |= {transcript.body_bytes((x.get('response') or {}).get('body'))
                       for x in step['http']}
        self.seen = {}

    def applies(self, want):
        """True if want (bytes) is a signed manifest that the client made."""
        return want is not None and want not in self.given and jws.is_signed(want)

    def compare(self, what, want, got):
        """Differences between the recorded signed text and ours."""
        try:
            unsigned = jws.payload(got)
        except jws.BadSignature as ex:
            return [f'{what}: {ex}: {show(got)}']
        expected = jws.payload(want, verify=False)
        if unsigned != expected:
            return [two(f'{what}: the signed text', expected, unsigned)]
        if self.seen.setdefault(want, got) != got:
            return [f'{what}: another signed text than before in this step']
        return []


def bytes_differ(what, body, got, signed):
    """A recorded body or output ({"text"} | {"b64"} | {"len", "sha256"}) against bytes."""
    want = transcript.body_bytes(body)
    if signed.applies(want):
        return signed.compare(what, want, got)
    if want is not None:
        return [] if want == got else [two(what, want, got)]
    mine = (len(got), hashlib.sha256(got).hexdigest())
    if mine == (body['len'], body['sha256']):
        return []
    head = transcript.body_bytes({'b64': body.get('head_b64', '')})
    return [two(f'{what}: length, sha256', (body['len'], body['sha256']), mine) +
            (f'\n  begins   {show(got[:len(head)])}, expected {show(head)}'
             if got[:len(head)] != head else '')]


def _types(accept):
    return sorted(t.strip() for t in accept.split(','))


def request_differs(want, request, query, signed):
    """The parts of a matched request that matter, beyond method, path and query."""
    out = []
    sent = request.headers
    asked = {k.lower(): v for k, v in want.get('headers', {}).items()}
    names = ['host', 'authorization']
    if want['method'] == 'PUT' and '/manifests/' in want['path']:
        names.append('content-type')
    for name in names:
        if name == 'host' and name not in asked:
            continue
        if asked.get(name) != sent.get(name):
            out.append(two(f'header {name}', asked.get(name, 'none'), sent.get(name, 'none')))
    accept = asked.get('accept', '*/*')
    if accept != '*/*' and _types(accept) != _types(sent.get('accept', '')):
        out.append(two('header accept', accept, sent.get('accept', 'none')))
    if request.body and asked.get('content-length', '0') != '0' and 'content-length' not in sent:
        out.append('header content-length: expected (the size is known), got none')
    starts = want.get('query_starts')
    if starts is not None and not query.startswith(starts):
        out.append(two('query as sent: the beginning', starts, query))
    return out + bytes_differ('body', want.get('body') or {'len': 0}, request.body, signed)


def first_line(text):
    """The first line that is not empty; the frames of a progress bar count as lines."""
    return next((part for part in re.split(r'[\r\n]+', text) if part), '')


def _frames(text):
    parts = [p for p in re.split(r'[\r\n]+', text) if p]
    return [re.sub(r'\[[^\[\]]*(?:it/s|s/it)[^\[\]]*\]', '[times]', p) for p in parts]


def one_sentence(text):
    """The form of our errors where dxf prints a traceback."""
    if re.fullmatch(r'dxf: error: \S[^\n]*\n', text):
        return []
    return [f'stderr: expected one line "dxf: error: …", got {show(text)}']


def stderr_differs(want, text, reference):
    """stderr: usage errors and empty exactly; bars without times; our sentence for tracebacks.

    reference: the client is dxf itself: only the first line is compared.
    """
    rule = want.get('stderr_rule', 'recorded')
    if rule == 'empty':
        return [] if not text else [two('stderr', '', text)]
    if rule == 'error':
        return one_sentence(text)
    first = want.get('stderr_first', '')
    full = (want.get('stderr') or {}).get('text')
    if first == TRACEBACK and not reference:
        return one_sentence(text)
    recorded, got = _frames(first), _frames(first_line(text))
    if recorded != got:
        return [two('first line of stderr', first, first_line(text))]
    if reference or full is None or TRACEBACK in full:
        return []
    recorded, got = _frames(full), _frames(text)
    if '[times]' in full or any('[times]' in p for p in recorded):
        # how many frames there are in between depends on the speed
        recorded, got = [recorded[0], recorded[-1]], [got[0], got[-1]]
        return [] if recorded == got else [two('stderr: first and last frame', recorded, got)]
    full, text = full.replace('\r\n', '\n'), text.replace('\r\n', '\n')
    return [] if full == text else [two('stderr', full, text)]
