"""Images of the VM that people keep and go back to, and forks of the whole session."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.interchange import PATH_DOC, file_of
from lua_ls_persist.server.features.data.looking import SessionParams
from lua_ls_persist.server.features.data.running import URI_DOC, change, look
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParams:
    """An image."""

    name: str = param("what the image is called")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkParams:
    """A file for a copy."""

    path: str = param(PATH_DOC)
    uri: str | None = param(URI_DOC, None)


async def images(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Lists the images of the VM: those with names, and those that the session keeps by itself."""
    found = await look(server, params.uri, lambda session: session.images())
    return {"images": [asdict(image) for image in found]}


async def save_image(server: LuaLanguageServer, params: ImageParams) -> Json:
    """Keeps the VM as it is, with all globals, under a name."""

    def call(session: Session) -> Json:
        session.save_image(params.name)
        kept = next(image for image in session.images() if image.name == params.name)
        return asdict(kept)

    return await change(server, params.uri, f"Keeping {params.name}", call)


async def restore_image(server: LuaLanguageServer, params: ImageParams) -> Json:
    """Makes the VM what it was when an image was saved; what is stored stays as it is."""
    text = await change(
        server,
        params.uri,
        f"Going back to {params.name}",
        lambda session: session.restore_image(params.name),
    )
    return {"text": text}


async def drop_image(server: LuaLanguageServer, params: ImageParams) -> Json:
    """Forgets an image."""
    if not await change(
        server, params.uri, "Forgetting", lambda session: session.drop_image(params.name)
    ):
        raise CommandError(f"there is no image {params.name}")
    return {"dropped": params.name}


async def fork(server: LuaLanguageServer, params: ForkParams) -> Json:
    """Writes a file from which a session begins as this one is: the same VM, the same data."""
    path = file_of(server, params.uri, params.path)
    await change(server, params.uri, f"Writing {path.name}", lambda session: session.fork_to(path))
    return {"path": str(path)}


IMAGE = "{name|null, made_utc, evaluations, bytes, fits, is_current}"
IMAGES = COMMANDS.add("images", "List Images", SessionParams, images, f"{{images: [{IMAGE}]}}")
SAVE_IMAGE = COMMANDS.add("saveImage", "Save Image", ImageParams, save_image, IMAGE)
RESTORE_IMAGE = COMMANDS.add("restoreImage", "Restore Image", ImageParams, restore_image, "{text}")
DROP_IMAGE = COMMANDS.add("dropImage", "Drop Image", ImageParams, drop_image, "{dropped}")
FORK = COMMANDS.add("fork", "Fork Session to a File", ForkParams, fork, "{path}")
