"""Work in the background survives what its work raises, tries again, and says what is wrong until it is done."""

import threading

import pytest

from store.background import BackgroundWork


def _until_stopped(worker: BackgroundWork, reached: threading.Event) -> None:
    worker.start()
    assert reached.wait(60)
    worker.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_fails_is_tried_again_and_its_trouble_is_told_until_it_succeeds() -> None:
    tries: list[str] = []
    succeeded = threading.Event()

    def work() -> bool:
        tries.append(worker.trouble.reason if worker.trouble else "")
        if len(tries) < 3:
            raise ZeroDivisionError(f"try {len(tries)}")
        if len(tries) > 3:
            succeeded.set()
        return False

    worker = BackgroundWork("test", work, 0.01)
    _until_stopped(worker, succeeded)
    assert tries[:4] == ["", "try 1", "try 2", ""]
    assert worker.trouble is None


def test_a_fault_that_is_dealt_with_is_no_trouble() -> None:
    faults: list[str] = []
    dealt = threading.Event()

    def work() -> bool:
        if not faults:
            raise ValueError("poison")
        dealt.set()
        return False

    def answer(fault: BaseException) -> bool:
        faults.append(str(fault))
        return True

    worker = BackgroundWork("test", work, 60.0, answer)
    _until_stopped(worker, dealt)
    assert faults == ["poison"] and worker.trouble is None


def test_a_fault_while_a_fault_is_dealt_with_is_the_trouble() -> None:
    asked = threading.Event()

    def work() -> bool:
        raise ValueError("the work's")

    def answer(_fault: BaseException) -> bool:
        if worker.trouble is not None:
            asked.set()
        raise KeyError("the answer's")

    worker = BackgroundWork("test", work, 0.01, answer)
    _until_stopped(worker, asked)
    assert worker.trouble is not None and "the answer's" in worker.trouble.reason


def test_waking_starts_work_before_its_pause_is_over() -> None:
    worked = [threading.Event(), threading.Event()]

    def work() -> bool:
        worked[1 if worked[0].is_set() else 0].set()
        return False

    worker = BackgroundWork("test", work, 3600.0)
    worker.start()
    assert worked[0].wait(60)
    worker.wake()
    assert worked[1].wait(60)
    worker.stop()
    assert not worker.alive
