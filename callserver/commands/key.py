"""`key`: the key that signs the journal's checkpoints; docs/evidence-chain.md tells what for."""

import typer

from callserver.commands import site_key
from callserver.commands.output import FAULTS, ConfigOption, JsonOption, SetOption, configured, fail, say, write_json

app = typer.Typer(no_args_is_help=True, help="Show or replace the key that signs the journal; make or change the site's key.")
app.add_typer(site_key.app, name="site")


@app.command()
def show(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Show the key's public half and its fingerprint, which whoever audits should have on paper."""
    from callserver.store.evidence.keys import KeyUnusable, next_of, read_key
    from callserver.store.evidence.notary import key_path

    path = key_path(configured(config, settings))
    try:
        key = read_key(path)
    except KeyUnusable as error:
        fail(f"{error}. The service makes it at its first start")
    waiting = next_of(path).exists()
    if as_json:
        write_json({"file": str(path), "fingerprint": key.name, "public": key.public, "successor_waits": waiting})
        return
    say(f"file         {path}")
    say(f"fingerprint  {key.name}")
    say(f"public       {key.public} (Ed25519)")
    if waiting:
        say(f"{next_of(path)} follows it as soon as the service runs")


@app.command()
def rotate(config: ConfigOption = None, settings: SetOption = None) -> None:
    """Make a key that follows the present one; the service puts it into force within seconds, or at its next start."""
    from callserver.store.evidence.keys import make_key, next_of
    from callserver.store.evidence.notary import key_path

    path = key_path(configured(config, settings))
    try:
        key = make_key(next_of(path))
    except FileExistsError:
        fail(f"{next_of(path)} waits already; it takes the place of the key while the service runs", FAULTS)
    except OSError as error:
        fail(f"{next_of(path)}: {error.strerror}", FAULTS)
    say(f"fingerprint  {key.name}")
    if not path.exists():
        say(f"{path} is not there to consent: write this fingerprint down, verifiers will ask for it (--key)")
