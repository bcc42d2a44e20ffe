"""The event log: numbered, append-only, read past whatever a crash left in it."""

import threading

from mtlab.runs.events import EventLog


def test_events_are_numbered_and_read_after_a_number(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    assert log.read() == []
    for step in range(1, 6):
        log.append("step", step=step)
    assert [event.seq for event in log.read()] == [1, 2, 3, 4, 5]
    assert [event["step"] for event in log.read(3)] == [4, 5]
    assert log.read(5) == log.read(99) == []
    assert log.read()[0].to_json().keys() == {"seq", "time", "kind", "step"}


def test_another_reader_sees_what_is_appended(tmp_path):
    writer, reader = EventLog(tmp_path / "e"), EventLog(tmp_path / "e")
    writer.append("phase", phase="load")
    assert len(reader.read()) == 1
    writer.append("note", text="Grüße")
    assert reader.read(1)[0].get("text") == "Grüße"


def test_lines_numbered_elsewhere_are_taken_over_once_and_without_a_gap(tmp_path):
    there, here = EventLog(tmp_path / "there"), EventLog(tmp_path / "here")
    for step in range(1, 7):
        there.append("step", step=step)
    lines = [event.to_json() for event in there.read()]
    assert here.extend(lines[:3]) == 3
    assert here.extend(lines[1:5]) == 5  # some of them are there already
    assert here.extend([*lines[4:5], {**lines[5], "seq": 8}]) == 5  # 6 and 7 are still to come
    assert here.extend(lines) == 6
    assert here.read() == there.read()
    assert EventLog(tmp_path / "here").append("end", state="finished").seq == 7


def test_a_torn_last_line_is_not_read_and_not_continued(tmp_path):
    path = tmp_path / "events.jsonl"
    EventLog(path).append("phase", phase="load")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq": 2, "time": 1.0, "kind": "st')
    log = EventLog(path)
    assert len(log.read()) == 1
    log.append("note", text="after the crash")
    assert [(event.seq, event.kind) for event in EventLog(path).read()] == [
        (1, "phase"),
        (2, "note"),
    ]
    assert [event.seq for event in log.read()] == [1, 2]


def test_a_line_without_its_newline_does_not_count_yet(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    path.write_bytes(b'{"seq": 1, "time": 1.0, "kind": "note"}')
    assert log.read() == []
    with path.open("ab") as file:
        file.write(b"\n")
    assert len(log.read()) == 1


def test_nonsense_between_events_is_passed_over(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b'{"seq": 1, "time": 1, "kind": "note"}\n\xff\n[]\n{"seq": "x", "kind": "note"}\n'
        b'{"seq": 1, "time": 1, "kind": "again"}\n{"seq": 7, "time": 1, "kind": "note"}\n'
    )
    log = EventLog(path)
    assert [event.seq for event in log.read()] == [1, 7]
    assert [event.seq for event in log.read(1)] == [7]
    assert [event.seq for event in log.read(5)] == [7]


def test_a_log_that_was_removed_or_replaced_is_read_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.append("note", text="a")
    log.append("note", text="b")
    path.unlink()
    assert log.read() == []
    EventLog(path).append("note", text="c")
    assert [event["text"] for event in log.read()] == ["c"]


def test_threads_append_without_gaps(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    threads = [
        threading.Thread(target=lambda: [log.append("note") for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in EventLog(log.path).read()] == list(range(1, 201))
