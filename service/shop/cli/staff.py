"""`shop staff`: the first account, and whatever else must work without one."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from shop.accounts.models import Role, Staff
from shop.accounts.passwords import hashed, weakness
from shop.cli.serve import settings_or_exit
from shop.database.engine import create_engine, create_sessions
from shop.settings import Settings


@click.group()
def staff() -> None:
    """People who run the shop."""


@staff.command()
@click.argument("email")
@click.option("--name", default="", help="Shown in the history of orders; else the email.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="support", show_default=True
)
def add(email: str, name: str, role: str) -> None:
    """Add an account. The password is asked for, or read from standard input.

    \b
    Example:
      shop staff add manager@shop.example --role manager
    """
    settings = settings_or_exit()
    email = email.strip().lower()
    if "@" not in email or len(email) > 200:
        click.echo(f"`{email}` is no email address", err=True)
        sys.exit(2)
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if why := weakness(password):
        click.echo(f"not this password: {why}", err=True)
        sys.exit(2)
    try:
        asyncio.run(
            _add(settings, Staff(email=email, name=name or email, role=role, password_hash=""), password)
        )
    except IntegrityError:
        click.echo(f"{email} has an account already", err=True)
        sys.exit(1)
    except (OSError, DBAPIError) as error:
        click.echo(f"the account can not be stored: {getattr(error, 'orig', None) or error}", err=True)
        sys.exit(1)
    click.echo(f"added {email} as {role}")


async def first_manager(settings: Settings, email: str) -> str:
    """Make the first account, a manager's, and tell its password; nothing where somebody has one already."""
    password = secrets.token_urlsafe(12)
    async with _session(settings) as session:
        if (await session.execute(select(Staff.id).limit(1))).first():
            return ""
        stored = await hashed(password)
        session.add(Staff(email=email, name="Manager", role=Role.MANAGER, password_hash=stored))
    return password


async def _add(settings: Settings, person: Staff, password: str) -> None:
    person.password_hash = await hashed(password)
    async with _session(settings) as session:
        session.add(person)


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[AsyncSession]:
    engine = create_engine(settings)
    try:
        async with create_sessions(engine).begin() as session:
            yield session
    finally:
        await engine.dispose()
