"""Finds the places of a C++ header where one token, condition or statement can be broken, and what to put there.

The text is read as tokens, not parsed. That works because the headers are formatted by clang-format: a binary operator
has a space on either side, and the brackets of a template have none inside. What doesn't compile is not counted anyway.
"""
import collections
import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Place:
    """One change: text[begin:end] of the file becomes `replacement`."""
    file: str  # relative to include/
    line: int  # from 1
    text: str  # the line without comments, each space one blank
    change: str  # what is done, in words that are unique among the changes of this file's lines with this text
    begin: int
    end: int
    replacement: str
    statement: range  # the lines of the statement around it
    at_compile_time: bool  # a static_assert: no test that runs can notice

    def key(self):
        """Names the place without its line number, which other changes of the file may move."""
        return SEPARATOR.join((self.file, self.text, self.change))

    def apply(self, text):
        return text[:self.begin] + self.replacement + text[self.end:]


SEPARATOR = " ## "  # not found in C++ outside of directives, which hold no place

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<directive>(?<![^\n])\#(?:\\\n|[^\n])*)
  | (?P<string>(?:u8|[uUL])?R"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)"|(?:u8|[uUL])?"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<operator><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^]=|.)
""", re.VERBOSE | re.DOTALL)

BINARY = {
    "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="], "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"],
    "&": ["|"], "|": ["&"], "^": ["|"], "<<": [">>"], ">>": ["<<"],
    "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="], "|=": ["&="], "&=": ["|="], "^=": ["|="],
}
WORDS = {"true": "false", "false": "true"}
STANDARD_FUNCTIONS = {"min": "max", "max": "min", "floor": "ceil", "ceil": "floor"}
INTRINSIC = re.compile(r"(_mm\d*_(?:maskz?_)?)(add|sub|mul|div|min|max|fmadd|and|or)(_\w+)")
INTRINSICS = {"add": "sub", "sub": "add", "mul": "add", "div": "mul", "min": "max", "max": "min", "fmadd": "fmsub",
              "and": "or", "or": "and"}
INTEGER = re.compile(r"(0[xX][\da-fA-F']+|0[bB][01']+|\d[\d']*)([uUlLzZ]*)")
FLOATING = re.compile(r"(.*?)([fFlL]?)", re.DOTALL)

# No statement that begins with one of these is deleted whole: it declares, returns or opens a block.
NO_STATEMENT = {
    "alignas", "auto", "case", "catch", "class", "const", "constexpr", "default", "do", "else", "enum", "extern", "for",
    "friend", "goto", "if", "inline", "namespace", "private", "protected", "public", "return", "static", "static_assert",
    "struct", "switch", "template", "try", "typedef", "typename", "union", "using", "virtual", "volatile", "while",
}
DECLARED_SCOPES = {"namespace", "class", "struct", "union", "enum"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    begin: int

    @property
    def end(self):
        return self.begin + len(self.text)


def tokens_of(text):
    """All tokens that mean something to the compiler proper: no comment, no directive."""
    return [Token(match.lastgroup, match[0], match.start()) for match in TOKEN.finditer(text)
            if match.lastgroup not in ("space", "comment", "directive")]


def without_comments(text):
    return TOKEN.sub(lambda match: re.sub(".", " ", match[0]) if match.lastgroup == "comment" else match[0], text)


class Source:
    """A header as tokens, with what each bracket encloses."""

    def __init__(self, text):
        self.text = text
        self.bare = without_comments(text)
        self.tokens = tokens_of(text)
        self.closing = {}  # of a bracket's token number
        self.around = []  # the innermost bracket that a token stands in, or None
        open_brackets = []
        for i, token in enumerate(self.tokens):
            if token.kind == "operator" and token.text in ")]}" and open_brackets:
                self.closing[open_brackets.pop()] = i
            self.around.append(open_brackets[-1] if open_brackets else None)
            if token.kind == "operator" and token.text in "([{":
                open_brackets.append(i)
        self.excluded = self.find_excluded()
        self.lines = [0] + [m.end() for m in re.finditer("\n", text)]

    def word(self, i):
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def find_excluded(self):
        """Tokens in a static_assert, an alignment, an attribute, or an expression that is never run."""
        excluded = set()
        for i, token in enumerate(self.tokens):
            if token.text in ("static_assert", "alignas", "__attribute__", "decltype", "noexcept") and i + 1 in self.closing:
                excluded.update(range(i, self.closing[i + 1] + 1))
            if token.text == "[" and self.word(i + 1) == "[" and i in self.closing:
                excluded.update(range(i, self.closing[i] + 1))
        return excluded

    def in_function(self, i):
        """Whether token i stands directly in braces that hold statements."""
        brace = self.around[i]
        if brace is None or self.tokens[brace].text != "{":
            return False
        j = brace - 1
        while j >= 0 and self.tokens[j].text not in (";", "{", "}"):
            j -= 1
        head = [t.text for t in self.tokens[j + 1:brace]]
        while head[:1] == ["template"]:  # its parameters say `class` too
            depth, k = 0, 1
            while k < len(head):
                depth += head[k].count("<") - head[k].count(">") if head[k] in ("<", ">", ">>") else 0
                k += 1
                if depth <= 0:
                    break
            head = head[k:]
        return not DECLARED_SCOPES.intersection(head[:2])

    def statement_end(self, i):
        """The semicolon that ends the statement beginning at token i, or None where a block comes first."""
        while i < len(self.tokens):
            if self.tokens[i].text == ";":
                return i
            if self.tokens[i].text in ")}":
                return None
            i = self.closing.get(i, i) + 1
        return None

    def begins_statement(self, i):
        before, token = self.word(i - 1), self.tokens[i]
        if not self.in_function(i) or not (token.kind == "word" or token.text in ("*", "++", "--", "::")):
            return False
        if before == ")":  # of an if, a for, a while
            opening = next(k for k, v in self.closing.items() if v == i - 1)
            return self.word(opening - 1) in ("if", "for", "while", "constexpr")
        return before in (";", "{", "}", "else", "do", ":")

    def is_action(self, i, end):
        """Whether tokens i to end are a call, an assignment or a jump, rather than a declaration."""
        if self.tokens[i].text in ("break", "continue", "throw"):
            return True
        if self.tokens[i].text in NO_STATEMENT:
            return False
        outer = []  # the statement without what is in brackets
        j = i
        while j < end:
            outer.append(self.tokens[j])
            j = self.closing.get(j, j) + 1
        assigned = next((k for k, t in enumerate(outer) if t.text in ASSIGNMENTS), len(outer))
        head = outer[:assigned]
        for k, (one, after) in enumerate(zip(head, head[1:])):
            ends_type = one.kind == "word" or (k > 0 and one.text in (">", ">>", "&", "*"))
            if ends_type and after.kind == "word":
                return False  # a type and a name
        return assigned < len(outer) or outer[-1].text in ("(", "++", "--") or outer[0].text in ("++", "--")

    def line(self, i):
        """The line of a token, from 1."""
        begin = self.tokens[i].begin
        low, high = 0, len(self.lines)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.lines[middle] <= begin else (low, middle)
        return low + 1

    def line_text(self, number):
        end = self.lines[number] if number < len(self.lines) else len(self.text)
        return " ".join(self.bare[self.lines[number - 1]:end].split())

    def statement_lines(self, i):
        first = last = i
        while first > 0 and self.tokens[first - 1].text not in (";", "{", "}"):
            first -= 1
        while last + 1 < len(self.tokens) and self.tokens[last].text not in (";", "{", "}"):
            last += 1
        return range(self.line(first), self.line(last) + 1)


def integer_changes(digits, suffix):
    value = int(digits.replace("'", ""), 8 if re.fullmatch("0[0-7']+", digits) else 0)
    write = hex if digits[:2] in ("0x", "0X") else str
    return [write(v) + suffix for v in (value + 1, value - 1) if v >= 0]


def number_changes(source, i):
    text = source.tokens[i].text
    before = [source.word(i - 2), source.word(i - 1)]
    if before[1] == "=" and before[0] in (")", "const", "override", "noexcept", ">", ">>"):
        return []  # a pure virtual function, or the last parameter of enable_if
    if re.search(r"\bconstexpr\b.*version", source.line_text(source.line(i)), re.IGNORECASE):
        return []
    if match := INTEGER.fullmatch(text):
        return integer_changes(*match.groups())
    number, suffix = FLOATING.fullmatch(text).groups() if text[:2] not in ("0x", "0X") else (text, "")
    try:
        value = float.fromhex(number) if text[:2] in ("0x", "0X") else float(number.replace("'", ""))
    except ValueError:  # with a suffix of the user's
        return []
    return [f"(2 * {text})"] if value else ["1.0" + suffix]


def word_changes(source, i):
    text = source.tokens[i].text
    if text in WORDS:
        return [WORDS[text]]
    if text in STANDARD_FUNCTIONS and source.word(i - 1) == "::":
        return [STANDARD_FUNCTIONS[text]]
    if match := INTRINSIC.fullmatch(text):
        return [match[1] + INTRINSICS[match[2]] + match[3]]
    return []


def operator_changes(source, i):
    token, text = source.tokens[i], source.text
    spaced = text[token.begin - 1:token.begin].isspace() and text[token.end:token.end + 1].isspace()
    if token.text in BINARY:
        if spaced:
            return BINARY[token.text]
        if token.text != "-" or source.tokens[i - 1].kind in ("number", "string") or source.word(i - 1) in (")", "]"):
            return []
        # A minus sign; `x-1` without spaces is nobody's.
        unary = source.tokens[i - 1].kind == "operator" or source.word(i - 1) in ("return", "case")
        return [""] if unary else []
    if token.text == "!":
        return [""]
    if token.text in ("++", "--"):
        in_for = source.around[i] is not None and source.word(source.around[i] - 1) == "for"
        return [] if in_for else [{"++": "--", "--": "++"}[token.text]]  # a loop's would never end
    return []


def token_changes(source, i):
    kind = source.tokens[i].kind
    by_kind = {"number": number_changes, "word": word_changes, "operator": operator_changes}
    return by_kind[kind](source, i) if kind in by_kind else []


def condition_of(source, i):
    """The token numbers (first, end) of the condition of the if or while at i, an initializer before it left out."""
    opening = i + 2 if source.word(i + 1) == "constexpr" else i + 1
    if source.tokens[i].text not in ("if", "while") or opening not in source.closing:
        return None
    end = source.closing[opening]
    first = opening + 1
    for j in range(first, end):
        if source.tokens[j].text == ";" and source.around[j] == opening:
            first = j + 1
    return first, end


def changes_of(source):
    """(token number, begin, end, replacement, words, at compile time) of everything that can be broken."""
    tokens = source.tokens
    for i, token in enumerate(tokens):
        if token.text == "static_assert" and i + 1 in source.closing:
            first = i + 2
            comma = next((j for j in range(first, source.closing[i + 1])
                          if tokens[j].text == "," and source.around[j] == i + 1 and tokens[j + 1].kind == "string"),
                         source.closing[i + 1])
            condition = source.text[tokens[first].begin:tokens[comma - 1].end]
            yield i, tokens[first].begin, tokens[comma - 1].end, f"true || ({condition})", "static_assert off", True
        if i in source.excluded:
            continue
        for new in token_changes(source, i):
            # A space in place of a sign keeps words apart.
            yield i, token.begin, token.end, new or " ", f"`{token.text}` -> `{new}`", False
        if condition := condition_of(source, i):
            begin, end = tokens[condition[0]].begin, tokens[condition[1] - 1].end
            yield i, begin, end, f"false && ({source.text[begin:end]})", f"`{token.text}` never", False
        if source.begins_statement(i):
            end = source.statement_end(i)
            if end is not None and end > i and source.is_action(i, end):
                yield i, token.begin, tokens[end].begin, "", "statement deleted", False


def ordinal(n):
    return f"{n}{'th' if 10 < n % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def find_places(file, text):
    """All places of a header, in the order of the text."""
    source = Source(text)
    alike = collections.defaultdict(list)  # the lines with the same text
    for number in range(1, len(source.lines) + 1):
        alike[source.line_text(number)].append(number)
    seen = collections.Counter()
    places = []
    for i, begin, end, replacement, change, at_compile_time in changes_of(source):
        number = source.line(i)
        line_text = source.line_text(number)
        seen[number, change] += 1
        nth = seen[number, change]
        nth_line = alike[line_text].index(number) + 1
        if nth > 1:
            change += f", {ordinal(nth)} in the line"
        if nth_line > 1:
            change += f", {ordinal(nth_line)} such line"
        places.append(Place(file, number, line_text, change, begin, end, replacement, source.statement_lines(i),
                            at_compile_time))
    return places
