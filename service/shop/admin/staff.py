"""Accounts of staff, as managers see and change them."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from shop.accounts.models import Staff
from shop.accounts.passwords import hashed, weakness
from shop.admin.schemas import NewStaff, StaffChange, StaffRow
from shop.problems import Problem


async def everybody(session: AsyncSession) -> list[StaffRow]:
    """All accounts, by email."""
    return [
        _row(staff) for staff in (await session.execute(select(Staff).order_by(col(Staff.email)))).scalars()
    ]


async def add(session: AsyncSession, new: NewStaff) -> StaffRow:
    """A new account. Problem 400 for a weak password, 409 where the email has one."""
    if why := weakness(new.password):
        errors = [{"field": "password", "message": why}]
        raise Problem(400, "invalid", f"password: {why}", errors=errors)
    staff = Staff(
        email=new.email.lower(), name=new.name, role=new.role, password_hash=await hashed(new.password)
    )
    session.add(staff)
    try:
        await session.flush()
    except IntegrityError:
        raise Problem(409, "email_taken", "this email has an account already") from None
    return _row(staff)


async def alter(session: AsyncSession, number: int, to: StaffChange, by: Staff) -> StaffRow:
    """Another role or access; ends their sessions. Problem 404, or 409 for one's own account."""
    staff = await session.get(Staff, number, with_for_update=True)
    if staff is None:
        raise Problem(404, "not_found", "there is no such account")
    if staff.id == by.id:
        raise Problem(409, "own_account", "nobody changes their own role: another manager does")
    staff.role, staff.active, staff.generation = to.role, to.active, staff.generation + 1
    session.add(staff)
    await session.flush()
    return _row(staff)


def _row(staff: Staff) -> StaffRow:
    return StaffRow(
        id=staff.id or 0, email=staff.email, name=staff.name, role=staff.role, active=staff.active
    )
