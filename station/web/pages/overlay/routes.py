"""The addresses of the overlay: `/overlay?part=lower|tower|clock|winner|all&bg=transparent|%23RRGGBB`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from shared.errors import BadInput
from shared.web.language import JSONAnswer
from station.web.pages.overlay.presenter import overlay_background, overlay_part
from station.web.site import Site


def overlay_routes(site: Site) -> APIRouter:
    """The route of the overlay; a part or a background that does not exist is refused with a sentence."""
    router = APIRouter()

    @router.get("/overlay", name="overlay")
    async def show(request: Request, part: str = "all", bg: str = "transparent") -> Response:
        """One part of the overlay, or all of it, 1920 x 1080."""
        try:
            chosen, background = overlay_part(part), overlay_background(bg)
        except BadInput as error:
            return JSONAnswer({"error": str(error)}, 400)
        return await site.html(request, "overlay", part=chosen, background=background)

    return router
