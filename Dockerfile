# The service in one image. Build: docker build -t callserver .
# Run:   docker run --network host --ulimit nice=30 -v callserver-data:/var/lib/callserver -v ./callserver.toml:/etc/callserver/callserver.toml:ro callserver
# RTP needs its ports as they are, so use the host's network. The limit lets sound go before other work.
FROM python:3.11-slim-bookworm

RUN useradd --system --uid 10001 --home-dir /var/lib/callserver callserver \
 && install -d -o callserver -g callserver -m 0700 /var/lib/callserver /run/callserver

WORKDIR /opt/callserver
COPY install.sh pyproject.toml requirements.lock README.md LICENSE ./
COPY callserver callserver
COPY dialplans dialplans
COPY audio audio
RUN apt-get update && ./install.sh --plain && rm -rf /var/lib/apt/lists/* build

ENV PATH=/opt/callserver/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER callserver
WORKDIR /var/lib/callserver
VOLUME ["/var/lib/callserver"]
EXPOSE 5060/udp 5060/tcp 5061/tcp 8080/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["callserver"]
CMD ["serve", "--config", "/etc/callserver/callserver.toml"]
