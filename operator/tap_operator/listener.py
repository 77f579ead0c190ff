"""Plain HTTP on a port of its own, for those that look at a process: probes and Prometheus."""

from aiohttp import web


class Listener:
    """Answers a few routes from `start` to `stop`."""

    def __init__(self, *routes: web.RouteDef) -> None:
        """Args: what is answered."""
        self._routes = routes
        self._runner: web.AppRunner | None = None

    async def start(self, address: str, port: int) -> None:
        """Listens on `address`:`port`."""
        app = web.Application()
        app.add_routes(self._routes)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner:
            await self._runner.cleanup()
