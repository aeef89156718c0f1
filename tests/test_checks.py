"""What `./kith test` does without programs that some tests need."""

from config.launcher import checks


def test_tests_whose_program_is_missing_are_left_out_with_a_word(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(checks, "FOLDERS", ("/nowhere",))
    said = []
    arguments = checks._what_can_run(said.append)
    assert arguments == ("-m", "not browser and not pgbouncer and not rabbitmq and not hosts")
    (told,) = said
    assert told.endswith("want of a program, server or right: browser, pgbouncer, rabbitmq, hosts")


def test_all_tests_run_where_everything_is_there(monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(checks, "FOLDERS", (str(tmp_path),))
    for names in checks.PROGRAMS.values():
        program = tmp_path / names[-1]
        program.touch(0o755)
    monkeypatch.setattr(checks, "MAKE_HOST", ("true",))
    assert checks._what_can_run(print) == ()
    for refused in ("false", "no-such-program"):
        monkeypatch.setattr(checks, "MAKE_HOST", (refused,))
        assert checks._what_can_run(print) == ("-m", "not hosts")
    monkeypatch.setattr(checks, "MAKE_HOST", ("true",))
    monkeypatch.setenv("DATABASE_URL", "postgresql://another")
    assert checks._what_can_run(print) == ("-m", "not replica")
