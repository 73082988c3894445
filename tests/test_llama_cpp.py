"""The file of the model that is a script, read by a reader of its own and by llama.cpp's server."""

from __future__ import annotations

import json
import struct
import urllib.request
from io import BytesIO

import pytest

from servers import gguf, llama_cpp, model
from servers.scripts import SCRIPTS
from servers.template import Template, jinja


class Reader:
    """Reads GGUF as ggml's docs/gguf.md lays it out, and knows nothing of the writer but the numbers of the types."""

    def __init__(self, data: bytes) -> None:
        self._file, self._size = BytesIO(data), len(data)
        self.magic, self.version = self._file.read(4), self.number("<I")
        tensors, values = self.number("<Q"), self.number("<Q")
        self.values = {self.text().decode(): self.value(self.number("<I")) for _ in range(values)}
        self.tensors = [self.tensor() for _ in range(tensors)]
        self.begin = -(-self._file.tell() // 32) * 32

    def number(self, form: str) -> int:
        return struct.unpack(form, self._file.read(struct.calcsize(form)))[0]

    def text(self) -> bytes:
        return self._file.read(self.number("<Q"))

    def value(self, kind: int) -> object:
        if kind == 9:
            inner, count = self.number("<I"), self.number("<Q")
            return [self.value(inner) for _ in range(count)]
        return self.text() if kind == 8 else self.number({4: "<I", 5: "<i", 6: "<f", 7: "<?"}[kind])

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self.text().decode()
        dimensions = tuple(self.number("<Q") for _ in range(self.number("<I")))
        return name, dimensions, self.number("<I"), self.number("<Q")

    def floats(self, name: str) -> tuple[float, ...]:
        (dimensions, offset) = next((each[1], each[3]) for each in self.tensors if each[0] == name)
        count = dimensions[0] * (dimensions[1] if len(dimensions) > 1 else 1)
        self._file.seek(self.begin + offset)
        return struct.unpack(f"<{count}f", self._file.read(4 * count))


@pytest.fixture(scope="module")
def file() -> bytes:
    return model.gguf(jinja(Template.HERMES))


@pytest.fixture(scope="module")
def read(file: bytes) -> Reader:
    return Reader(file)


def test_the_header_says_what_it_is(read):
    assert (b"GGUF", 3, b"llama") == (read.magic, read.version, read.values["general.architecture"])


def test_the_tokens_have_a_score_and_a_type_each(read):
    columns = [read.values[f"tokenizer.ggml.{name}"] for name in ("tokens", "scores", "token_type")]
    assert 1 == len({len(column) for column in columns})
    assert {f"<0x{byte:02X}>".encode() for byte in range(256)} <= set(columns[0])


def test_every_tensor_begins_at_a_multiple_of_the_alignment_and_the_last_ends_with_the_file(read, file):
    offsets = [offset for *_, offset in read.tensors]
    assert {0} == {offset % 32 for offset in offsets}
    _, dimensions, kind, offset = read.tensors[-1]
    size = 4 * dimensions[0] * dimensions[1]
    assert (0, len(file)) == (kind, read.begin + offset + -(-size // 32) * 32)


def test_the_matrices_are_the_script(read):
    tokens = read.values["tokenizer.ggml.tokens"]
    embeddings, logits = read.floats("token_embd.weight"), read.floats("output.weight")
    width = len(embeddings) // len(tokens)
    first = tokens.index(SCRIPTS[0].start.encode())
    dimension = embeddings[first * width : (first + 1) * width].index(1.0)
    best = max(range(len(tokens)), key=lambda token: logits[token * width + dimension])
    assert SCRIPTS[0].steps[0][0] == tokens[best].decode()


def test_data_that_do_not_fill_a_tensor_are_refused():
    with pytest.raises(ValueError, match="w: 3 floats"):
        gguf.write({}, [gguf.Tensor("w", (2, 2), model.array("f", [0.0] * 3))])


def asked(llama_cpp_url: str, path: str, **body: object) -> dict:
    headers = {"Authorization": f"Bearer {llama_cpp.KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{llama_cpp_url.removesuffix('/v1')}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.mark.parametrize("text", ["Hello, Zürich", "🚀 东京\n\ttab", "<tool_call>"])
def test_the_server_reads_the_tokenizer(text, llama_cpp_url):
    tokens = asked(llama_cpp_url, "/tokenize", content=text)["tokens"]
    assert text == asked(llama_cpp_url, "/detokenize", tokens=tokens)["content"]
