"""Containers come and go (kernel/cgroup.c: cgroup_mkdir, cgroup_rmdir; mm/memcontrol.c: mem_cgroup_css_alloc, _offline, _free).

Where charged pages keep a container (rules v1), one without a directory is offline until the last of them is gone, and only then is its
number free; with the older rules it cannot be removed before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kernel_objects
from .container import EVENTS, REFAULTS, Container
from .errors import ContainerBusy
from .kernel_objects import CONTAINER_BYTES

if TYPE_CHECKING:
    from .machine import Machine


def css_alloc(machine: Machine, cid: int, parent: Container | None) -> Container:
    core, above = machine.core, parent.cid if parent is not None else -1
    for counters in (core.counters, core.memsw, core.kmem):
        counters.init(cid, above if core.rules.charges_once else -1)
    core.stats.init(cid)
    core.containers.init(cid, above)
    container = Container(machine, cid)
    container.inherit(parent)
    try:
        with machine.surfacing():
            machine.engine.make_container(core, cid)
    except BaseException:
        if parent is not None:
            core.containers.unlink(cid)
        raise
    machine.containers[cid] = container
    return container


def cgroup_mkdir(machine: Machine, parent: Container) -> Container:
    """Raises TooManyContainers; OutOfMemory where the parent cannot pay for what the kernel keeps of it."""
    machine.refuse_if_panicked()
    kernel_objects.charge(machine, parent.cid, 0, CONTAINER_BYTES)
    try:
        cid = machine.container_ids.take()
    except BaseException:
        kernel_objects.uncharge(machine, parent.cid, 0, CONTAINER_BYTES)
        raise
    try:
        return css_alloc(machine, cid, parent)
    except BaseException:
        machine.container_ids.give(cid)
        kernel_objects.uncharge(machine, parent.cid, 0, CONTAINER_BYTES)
        raise


def cgroup_rmdir(machine: Machine, container: Container) -> None:
    """Raises ContainerBusy."""
    machine.refuse_if_panicked()
    core, cid = machine.core, container.cid
    if core.rules.forgets_on_rmdir:
        force_empty(machine, container)
    if container.css_refs and not core.rules.charges_once:
        raise ContainerBusy(f"{container.css_refs} references are held: charged pages, and tasks' memory")
    if any(child.is_online for child in container.children()):
        raise ContainerBusy("there are containers in it")
    if core.rules.charges_once and any(space.container == cid for space in machine.spaces.values()):
        raise ContainerBusy("tasks' memory belongs to it")
    core.containers.forget_released(cid)
    machine.watches.end(cid)
    del machine.containers[cid]
    if core.rules.charges_once:
        machine.offline[cid] = container
        machine.engine.container_offline(core, cid)
        release_gone(machine)
    else:
        css_free(machine, container)


def css_free(machine: Machine, container: Container) -> None:
    """Nothing is charged to it, and nothing is in it: its number is free."""
    core = machine.core
    machine.engine.remove_container(core, container.cid)
    parent = core.containers.parent[container.cid]
    for item in (*EVENTS.values(), *REFAULTS.values()):
        core.stats.bequeath(container.cid, parent, item)
    core.containers.unlink(container.cid)
    machine.container_ids.give(container.cid)
    kernel_objects.uncharge(machine, parent, 0, CONTAINER_BYTES)


def release_gone(machine: Machine) -> None:
    """css_release: offline containers that nothing holds any more. With the last one in it, its parent may be gone as well."""
    offline = machine.offline
    for cid in machine.core.containers.take_gone():
        gone = offline.get(cid)
        # What it gives back when it is released ends operations of its own, which look here, too.
        while gone is not None and offline.get(gone.cid) is gone and not gone.css_refs and next(gone.children(), None) is None:
            del offline[gone.cid]
            parent = gone.parent
            css_free(machine, gone)
            gone = parent


def force_empty(machine: Machine, container: Container) -> None:
    """That of 2.6.25: its pages are charged to nobody, whoever uses them. (For today's see Container.)"""
    machine.refuse_if_panicked()
    with machine.surfacing():
        if not machine.core.model.lists_all_charged:
            machine.engine.lru_add_drain_all(machine.core)
        for pages in container.lists():
            for pfn in pages:
                machine.engine.force_empty_page(machine.core, pfn)
