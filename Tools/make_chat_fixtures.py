"""Renders the chat templates of Tests/ExamplesTests/Fixtures/chat with transformers, for ChatTemplateTests.

The templates are written from what the makers document of their formats. Needs transformers and jinja2:
    python Tools/make_chat_fixtures.py
"""

import json
import pathlib

from transformers.utils.chat_template_utils import _compile_jinja_template

FOLDER = pathlib.Path(__file__).parent.parent / "Tests/ExamplesTests/Fixtures/chat"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def say(role, content):
    return {"role": role, "content": content}


CONVERSATIONS = [
    [say("user", "What is 2 + 2?"), say("assistant", "4")],
    [say("user", "  spaces around \n"), say("assistant", " and here\t")],
    [say("system", "Be brief."), say("user", "Name a colour."), say("assistant", "Blue.")],
    [
        say("system", "You speak\nin two lines."),
        say("user", "Grüße, 世界 🌍!"),
        say("assistant", "Hallo."),
        say("user", "And \"quotes\" \\ {{ braces }}?"),
        say("assistant", "{% none %}"),
    ],
    [say("user", "a"), say("assistant", "b"), say("user", "c"), say("assistant", "d"), say("user", "e")],
    [say("user", "think"), say("assistant", "<think>\nit is even\n</think>\n\nyes")],
    [say("user", "a"), say("user", "twice")],
    [say("user", [{"type": "text", "text": "parts "}, {"type": "text", "text": "of one"}]), say("assistant", "ok")],
    [say("tool", "[1]"), say("user", "a"), say("assistant", "b")],
]


def render(template, messages, adds):
    try:
        text = template.render(
            messages=messages, tools=None, documents=None, add_generation_prompt=adds, **TOKENS)
    except Exception as error:
        return {"error": type(error).__name__}
    # Python's own notation of a list is no text that anybody means.
    return {"error": "repr"} if "[{'type'" in text else text


def main():
    cases = []
    for path in sorted(FOLDER.glob("*.jinja")):
        template = _compile_jinja_template(path.read_text())
        # The day is not given, as ChatTemplate says.
        template.environment.globals.pop("strftime_now", None)
        template.globals.pop("strftime_now", None)
        for messages in CONVERSATIONS:
            for adds in (False, True):
                cases.append({
                    "template": path.name, "messages": messages, "adds_prompt": adds,
                    "rendered": render(template, messages, adds)})
    text = json.dumps({"tokens": TOKENS, "cases": cases}, ensure_ascii=False, indent=1)
    (FOLDER / "rendered.json").write_text(text + "\n")
    print(len(cases), "cases,", sum(isinstance(case["rendered"], str) for case in cases), "rendered")


if __name__ == "__main__":
    main()
