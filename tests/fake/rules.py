"""What the fault proxy does to an exchange: rules, as Python objects or JSON.

A rule picks exchanges (method, path, skip, times) and does one thing to them, `do`:

answer    status, headers {name: value | [values]}, body (text, bytes, or a generator's description)
redirect  status, to: a URL or path put before the target, for the Location
cut       ends the connection after `bytes` of the answer's body
reset     the same with a TCP reset; with where=request: after so many bytes of the request's body
stall     sends nothing more after `bytes` of the answer's body (where=request: reads nothing more)
slow      gives the answer's body with `rate` bytes a second
wrong     changes the byte at offset `bytes` of the answer's body
short     closes early as an HTTP/1.0 server would, without a length, after `bytes`
location  replaces scheme and host of the answer's Location by `to`
refuse    reads `bytes` of the request's body, then answers as `answer` does and closes
headers   adds or replaces `headers` of the answer; a value of null removes one
"""

import json
import re
import threading
from dataclasses import dataclass, field, fields

KINDS = ('answer', 'redirect', 'cut', 'reset', 'stall', 'slow', 'wrong', 'short', 'location',
         'refuse', 'headers')


@dataclass
class Rule:
    """One fault; see the module's description."""
    do: str
    method: str = '.*'
    path: str = '.*'
    skip: int = 0
    times: int = -1
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: object = b''
    bytes: int = 0
    rate: int = 0
    to: str = ''
    where: str = 'answer'
    used: int = 0

    def __post_init__(self):
        if self.do not in KINDS:
            raise ValueError(f'unknown fault {self.do!r}')

    @classmethod
    def load(cls, member):
        """A rule from a dict, as read from JSON; unknown names are refused."""
        unknown = set(member) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f'a rule has no {", ".join(sorted(unknown))}')
        return cls(**member)

    def takes(self, method, target):
        """Whether this rule is for the request; counts how often it was."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, target)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times == 0:
            return False
        self.times -= 1
        self.used += 1
        return True

    def content(self):
        """The bytes of `body`."""
        if isinstance(self.body, dict):
            return generated(**self.body)
        return self.body.encode() if isinstance(self.body, str) else bytes(self.body)


def generated(kind, n):
    """Large bodies: `deep` (JSON nested n times), `huge` (a JSON string of n bytes), `junk`."""
    if kind == 'deep':
        return b'{"x":' * n + b'1' + b'}' * n
    if kind == 'huge':
        return b'{"schemaVersion":2,"x":"' + b'y' * n + b'"}'
    if kind == 'junk':
        return bytes(i % 251 for i in range(n))
    raise ValueError(f'unknown body {kind!r}')


class Rules:
    """The rules in force, shared by the proxy's threads; the first that fits is taken."""

    def __init__(self, rules=()):
        self.lock = threading.Lock()
        self.rules = []
        self.set(*rules)

    def set(self, *rules):
        """Replace all rules; each a Rule or a dict."""
        with self.lock:
            self.rules = [r if isinstance(r, Rule) else Rule.load(r) for r in rules]

    def load(self, text):
        """Replace all rules by a JSON array."""
        self.set(*json.loads(text))

    def pick(self, method, target):
        """The rule for a request, or None."""
        with self.lock:
            return next((r for r in self.rules if r.takes(method, target)), None)
