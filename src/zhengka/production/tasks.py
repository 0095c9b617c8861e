"""What workers run for production; each calls one service and may run twice."""

import logging
from datetime import UTC, datetime

from django.utils import timezone

from zhengka.bulk.services import give_up
from zhengka.core.errors import Refusal
from zhengka.core.queue import task
from zhengka.production import services

log = logging.getLogger("zhengka.production")


def stall_for_chunk(chunk_id: int) -> None:
    """The last try of a chunk failed."""
    services.stall_for_chunk(chunk_id, at=timezone.now())


def stall(batch_id: int) -> None:
    """The last try of putting a package together failed."""
    services.stall(batch_id, at=timezone.now())


@task("production.prepare_chunk", given_up=stall_for_chunk)
def prepare_chunk(chunk_id: int) -> None:
    """Prepare one chunk of a batch; who lost it to another worker leaves it there."""
    try:
        services.prepare_chunk(chunk_id, at=timezone.now())
    except Refusal as refused:
        if refused.code != "lease-lost":
            services.note_problem_of_chunk(chunk_id, refused.code)
            raise
        log.warning("chunk %s was taken over by another worker", chunk_id)


@task("production.finish_batch", given_up=stall)
def finish_batch(batch_id: int) -> None:
    """Put package and proof sheet together once the last chunk is done."""
    try:
        services.finish_if_done(batch_id, at=timezone.now())
    except Refusal as refused:
        services.note_problem(batch_id, refused.code)
        raise


@task("production.sweep_packages", cron="40 17 * * *")
def sweep_packages(timestamp: int) -> None:
    """Every night in China: remove packages and their parts that no batch needs."""
    if lost := services.sweep_packages(at=datetime.fromtimestamp(timestamp, UTC)):
        log.warning("%s packages or parts that no batch needs were removed", lost)


@task("production.tell_ready")
def tell_ready(batch_id: int) -> None:
    """Tell the holders whose cards came back from the maker."""
    services.tell_ready(batch_id, at=timezone.now())


@task("production.write_receipt")
def write_receipt(batch_id: int) -> None:
    """Sign our receipt of a card maker's results."""
    services.write_receipt(batch_id, at=timezone.now())


@task("production.erase_due", cron="50 17 * * *")
def erase_due(timestamp: int) -> None:
    """Every night in China: erase what was made for batches whose day has come."""
    if erased := services.erase_due(at=datetime.fromtimestamp(timestamp, UTC)):
        log.info("the production data of %s batches was erased", erased)


@task("production.erase_batch")
def erase_batch(batch_id: int) -> None:
    """Erase at once what was made for a batch that was given up."""
    services.erase_batch(batch_id, at=timezone.now())


@task("production.open_phase", given_up=give_up)
def open_phase(act_id: int) -> None:
    """Open the batches of a phase, unit by unit."""
    services.open_phase(act_id, clock=timezone.now)


@task("production.take_results", given_up=give_up)
def take_results(act_id: int) -> None:
    """Match a card maker's results card by card, all of them or none."""
    services.take_results(act_id, clock=timezone.now)


@task("production.take_looks", given_up=give_up)
def take_looks(act_id: int) -> None:
    """Match what a read-back station saw of a batch, all of it or nothing."""
    services.carry_out_looks(act_id, clock=timezone.now)
