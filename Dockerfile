# Slim, not root, with a health check. The journal and the reports live in /data: mount a volume there.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --compile -r requirements.txt

FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* && useradd --uid 10001 --create-home agent && install -d -o agent /data
COPY --from=build /venv /venv
WORKDIR /app
COPY --chown=root:root . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    ALERT_AGENT_SERVER__HOST=0.0.0.0 \
    ALERT_AGENT_FILES__JOURNAL=/data/journal.db ALERT_AGENT_FILES__REPORTS=/data/reports
USER 10001
EXPOSE 10000
VOLUME /data
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:10000/health', timeout=4)"]
ENTRYPOINT ["python", "main.py"]
CMD ["serve"]
