# A server for the page and the HTTP API, on the CPU:
#
#     docker build -t imfield .
#     docker run -p 8000:8000 -e IMFIELD_TOKEN=SECRET imfield
#
# http://HOST:8000/#token=SECRET is the page. The token is required, because other machines can reach the server.
FROM python:3.13-slim

RUN useradd --uid 1000 --create-home imfield
WORKDIR /home/imfield
COPY setup.cfg pyproject.toml requirements.txt README.md LICENSE source/
COPY imfield_jax source/imfield_jax
RUN pip install --no-cache-dir -c source/requirements.txt './source[serve]' && rm -r source
USER 1000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["imfield", "serve", "--host=0.0.0.0"]
