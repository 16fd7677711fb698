"""The transcript format: loading, recorded names <-> live names, documented deviations.

Recorded and live. A transcript names fixed ports and placeholders ({uuidN}, {stateN}, {jwtN}). The
replay serves it on free ports and with plausible values, so every text goes through live() before
the client sees it, and what the client did goes back through recorded() before it is compared:
all comparisons and messages are in the words of the transcript.

Documented deviations. The second file is {"id": {"reason": "...", "expect": {...}}}. The step is
run and compared as any other, only that "expect" replaces parts of the expectation:

  exit     the exit code
  stdout   in the forms of the transcript: {"text"} | {"b64"} | {"len", "sha256"}, or
           {"from": "step"}: what is recorded for another step of the file
  stderr   "empty", "error" (one line `dxf: error: ...`) or "recorded" (compare as recorded).
           Without it: "empty" if the expected exit is 0, else "recorded".
  http     the whole list of exchanges, each one of
             N                    exchange N (from 0) of this step as recorded
             {"from": N, ...}     the same with members replaced
             {"from": ["step", N], ...}   exchange N of another step, with members replaced
             {...}                an exchange in the form of the transcript
           Replaced "headers" and "response.headers" are merged; null takes a header away. Members
           beyond those of the transcript: "query_starts" (the query as sent, not decoded, begins
           with this text), "repeat" (the exchange may be made up to this many times in a row).

An entry whose expectation equals the recording is an error: it would document nothing.
"""

import base64
import copy
import hashlib
import json
import re
import uuid

ENDPOINT = r'[A-Za-z0-9.\-]+:\d+'
LISTENER = re.compile(rf'^(https?) ({ENDPOINT}(?: and {ENDPOINT})*)')
PLACEHOLDER = re.compile(r'\{(uuid|state|jwt)\d+\}')
EXPECT_KEYS = {'exit', 'stdout', 'stderr', 'http'}


class TranscriptError(Exception):
    """The transcript or the list of documented deviations is not usable."""


def body_bytes(body, files=None):
    """The bytes of a recorded body, stdin or stdout; None if only its digest is known."""
    if not body:
        return b''
    if 'text' in body:
        return body['text'].encode()
    if 'b64' in body:
        return base64.b64decode(body['b64'])
    if body.get('len') == 0:
        return b''
    for content in (files or {}).values():
        if hashlib.sha256(content).hexdigest() == body.get('sha256'):
            return content
    return None


def _file_content(name, spec):
    if spec.get('rule') == 'byte i = i mod 251':
        content = (bytes(range(251)) * (spec['len'] // 251 + 1))[:spec['len']]
    elif 'text' in spec or 'b64' in spec:
        content = body_bytes(spec)
    else:
        raise TranscriptError(f'cwd_files: {name}: no text and no known rule')
    if 'sha256' in spec and hashlib.sha256(content).hexdigest() != spec['sha256']:
        raise TranscriptError(f'cwd_files: {name}: the content does not have the recorded sha256')
    return content


class Transcript:
    """One transcript file: .steps, .files (name -> bytes), .listeners (name -> (tls, ports))."""

    def __init__(self, doc):
        try:
            self.steps = doc['steps']
            self.files = {n: _file_content(n, s) for n, s in doc.get('cwd_files', {}).items()}
            self.listeners = {}
            for name, text in doc['listeners'].items():
                m = LISTENER.match(text)
                if not m:
                    raise TranscriptError(f'listeners: {name}: not understood: {text!r}')
                ports = {int(e.rpartition(':')[2]) for e in m.group(2).split(' and ')}
                self.listeners[name] = (m.group(1) == 'https', ports)
            self.by_name = {}
            for step in self.steps:
                if step['name'] in self.by_name:
                    raise TranscriptError(f'two steps have the name {step["name"]!r}')
                for key in ('argv', 'env', 'exit', 'stdout', 'http'):
                    step[key]  # pylint: disable=pointless-statement
                for x in step['http']:
                    self.listeners[x['listener']]  # pylint: disable=pointless-statement
                self.by_name[step['name']] = step
        except (KeyError, TypeError, ValueError, AttributeError) as ex:
            raise TranscriptError(f'not a transcript of the dxf command: {ex!r}') from ex

    @classmethod
    def load(cls, path):
        """Read a file; raises TranscriptError with one sentence."""
        return cls(load_json(path))


def load_json(path):
    """A JSON file, errors as TranscriptError."""
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except (OSError, ValueError) as ex:
        raise TranscriptError(f'{path}: {ex}') from ex


class Names:
    """Recorded names <-> live names: ports of the listeners, placeholders, the home directory."""

    def __init__(self, ports, home):
        """ports: recorded port -> live port; home: what stands for /home/u."""
        self.to_live = {f'{host}:{old}': f'{host}:{new}' for old, new in ports.items()
                        for host in ('localhost', '127.0.0.1')}
        self.to_rec = {new: old for old, new in self.to_live.items()}
        self.home = home
        self.values = {}
        self.live_re = self._ports_re(self.to_live)
        self.rec_re = self._ports_re(self.to_rec)

    @staticmethod
    def _ports_re(table):
        return re.compile(r'(?<![\w.\-])(' + '|'.join(map(re.escape, table)) + r')(?!\d)')

    def _placeholder(self, m):
        """A value that looks like the real thing: no client has to accept braces."""
        text = m.group(0)
        kind = m.group(1)
        if kind == 'uuid':
            value = str(uuid.uuid5(uuid.NAMESPACE_URL, text))
        else:
            seed = hashlib.sha512(text.encode()).digest()
            part = base64.urlsafe_b64encode(seed).decode().rstrip('=')
            # a docker-registry _state ends in padding, percent-encoded in the query
            value = f'{part}%3D' if kind == 'state' else f'eyJ{part[:20]}.eyJ{part}.{part[::-1]}'
        self.values[value] = text
        if kind == 'state':
            self.values[value.replace('%3D', '=')] = text
        return value

    def live(self, text):
        """What the client and the listeners use instead of a recorded text."""
        text = PLACEHOLDER.sub(self._placeholder, text)
        return self.live_re.sub(lambda m: self.to_live[m.group(0)], text)

    def live_env(self, text):
        """live() for an environment variable, where paths below /home/u may occur too."""
        return re.sub(r'/home/u(?![\w.\-])', lambda m: self.home, self.live(text))

    def recorded(self, text):
        """The recorded form of something the client sent or printed."""
        text = self.rec_re.sub(lambda m: self.to_rec[m.group(0)], text)
        for value, placeholder in self.values.items():
            if value in text:
                text = text.replace(value, placeholder)
        return text

    def recorded_bytes(self, data):
        """recorded() for bytes; bytes that are no text stay as they are."""
        try:
            return self.recorded(data.decode()).encode()
        except UnicodeDecodeError:
            return data


def _merge_headers(base, change):
    merged = dict(base)
    for name, value in change.items():
        for old in [k for k in merged if k.lower() == name.lower()]:
            del merged[old]
        if value is not None:
            merged[name] = value
    return merged


def _exchange(transcript, step, entry):
    if isinstance(entry, int):
        entry = {'from': entry}
    entry = copy.deepcopy(entry)
    if 'from' not in entry:
        return entry
    source, number = step, entry.pop('from')
    if isinstance(number, list):
        source, number = transcript.by_name[number[0]], number[1]
    if not 0 <= number < len(source['http']):
        raise IndexError(f'{source["name"]} has no exchange {number}')
    base = copy.deepcopy(source['http'][number])
    if 'headers' in entry:
        entry['headers'] = _merge_headers(base.get('headers', {}), entry['headers'])
    if entry.get('response') is not None:
        change, answer = entry['response'], base.get('response') or {}
        change['headers'] = _merge_headers(answer.get('headers', {}), change.get('headers', {}))
        entry['response'] = {**answer, **change}
    return {**base, **entry}


def expected(transcript, step, documented):
    """The step as it must run: the recording, with the documented replacements applied."""
    want = copy.deepcopy(step)
    if documented is None:
        return want
    where = f'documented: {step["name"]}'
    expect = documented.get('expect')
    if not isinstance(documented.get('reason'), str) or not documented['reason'].strip():
        raise TranscriptError(f'{where}: a reason is needed')
    if not isinstance(expect, dict) or not expect or set(expect) - EXPECT_KEYS:
        raise TranscriptError(f'{where}: "expect" needs one or more of {sorted(EXPECT_KEYS)}')
    try:
        if 'exit' in expect:
            want['exit'] = expect['exit']
        if 'stdout' in expect:
            source = expect['stdout']
            want['stdout'] = (transcript.by_name[source['from']]['stdout'] if 'from' in source
                              else source)
        if 'http' in expect:
            want['http'] = [_exchange(transcript, step, e) for e in expect['http']]
            for x in want['http']:
                for key in ('method', 'path', 'status', 'response'):
                    x[key]  # pylint: disable=pointless-statement
                transcript.listeners[x['listener']]  # pylint: disable=pointless-statement
    except (KeyError, IndexError, TypeError, AttributeError) as ex:
        raise TranscriptError(f'{where}: not understood: {ex!r}') from ex
    want['stderr_rule'] = expect.get('stderr', 'empty' if want['exit'] == 0 else 'recorded')
    if want['stderr_rule'] not in ('empty', 'error', 'recorded'):
        raise TranscriptError(f'{where}: stderr: not understood: {want["stderr_rule"]!r}')
    if all(want[k] == step[k] for k in ('exit', 'stdout', 'http')) and \
       want['stderr_rule'] == 'recorded':
        raise TranscriptError(f'{where}: the expectation does not differ from the recording')
    return want
