#!/usr/bin/env python3
"""Images of a list of URLs beside img2dataset: images by CPU-second, wall time and peak memory.

usage: images.py KOSMOS IMG2DATASET PHOTOS [--urls 5000] [--runs 5] [--schemes http,https]

Serves the folder PHOTOS by nginx on loopback, over HTTP and HTTPS, and has both download the same list, resize to 256
(border) and write JPEG of quality 95 with two workers, in turn: A B B A ... CPU is user and system of the whole
process tree, memory the largest sum of its proportional set sizes. Needs nginx and openssl.
"""
import argparse, ctypes, json, os, resource, shutil, signal, subprocess, sys, tempfile, threading, time

PORTS = {"http": 18188, "https": 18189}
CONFIG = """
worker_processes 1; pid {work}/nginx.pid; error_log {work}/error.log warn; daemon on;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 30; open_file_cache max=5000 inactive=300s;
  types {{ image/jpeg jpg jpeg; }}
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4;
  scgi_temp_path {work}/t5; ssl_certificate {work}/c.pem; ssl_certificate_key {work}/k.pem;
  server {{ listen 127.0.0.1:{http} backlog=4096; listen 127.0.0.1:{https} ssl backlog=4096; root {photos}; }}
}}
"""


def serve(work, photos):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{work}/k.pem", "-out", f"{work}/c.pem",
                    "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    # What clients trust in earnest: the system's roots, and this one.
    with open(f"{work}/ca.pem", "wb") as out:
        for path in ("/etc/ssl/certs/ca-certificates.crt", f"{work}/c.pem"):
            out.write(open(path, "rb").read())
    # The server's worker is nobody in particular.
    os.chmod(work, 0o755)
    shutil.copytree(photos, f"{work}/photos", copy_function=shutil.copyfile)
    with open(f"{work}/nginx.conf", "w") as out:
        out.write(CONFIG.format(work=work, photos=f"{work}/photos", **PORTS))
    subprocess.run(["nginx", "-c", f"{work}/nginx.conf"], check=True)


def tree(root):
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                children.setdefault(int(stat.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
        except (OSError, IndexError):
            pass
    todo, found = [root], []
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def memory_kb(process):
    try:
        with open(f"/proc/{process}/smaps_rollup") as rollup:
            return next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), 0)
    except OSError:
        return 0


def measure(command, environment):
    before, begun, peak, done = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), [0], threading.Event()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def watch():
        while not done.wait(0.05):
            peak[0] = max(peak[0], sum(map(memory_kb, tree(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    wall = time.perf_counter() - begun
    try:  # Helpers that outlive the command count too.
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code == 0, f"{command[0]} ended with {code}"
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, peak[0] / 1024


def stored(work, name, kosmos):
    """Returns how many images a run has stored."""
    if name == "kosmos":
        status = json.loads(subprocess.run([kosmos, "status", "--json", f"{work}/ours"], stdout=subprocess.PIPE, check=True).stdout)
        passes = (stage["report"]["units"] for stage in status if stage["stage"].startswith("images.pass"))
        return sum(units["images"]["kept"] for units in passes if "images" in units)
    stats = [json.load(open(f"{work}/theirs/{file}")) for file in os.listdir(f"{work}/theirs") if file.endswith("_stats.json")]
    return sum(stat["successes"] for stat in stats)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kosmos", "img2dataset", "photos"):
        parser.add_argument(name)
    parser.add_argument("--urls", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--schemes", default="http,https")
    args = parser.parse_args()
    work = tempfile.mkdtemp()
    serve(work, args.photos)
    # Orphans are ours to wait for from here on (PR_SET_CHILD_SUBREAPER), nginx not.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    photos = sorted(os.listdir(args.photos))
    environment = {"SSL_CERT_FILE": f"{work}/ca.pem", "NO_ALBUMENTATIONS_UPDATE": "1", "WANDB_MODE": "disabled"}
    try:
        for scheme in args.schemes.split(","):
            port = PORTS[scheme]
            with open(f"{work}/urls.tsv", "w") as out:
                out.write("url\tcaption\n")
                for n in range(args.urls):
                    out.write(f"{scheme}://127.0.0.1:{port}/{photos[n % len(photos)]}?u={n}\ta photo, number {n}\n")
            ours = [args.kosmos, "run", "images", "--dir", f"{work}/ours", "--workers", "2"]
            for setting in (f"sources.input.path={work}/urls.tsv", f'fetch.allow=["127.0.0.1:{port}"]', "fetch.per_host_concurrency=512"):
                ours += ["--set", setting]
            theirs = [args.img2dataset, f"--url_list={work}/urls.tsv", "--input_format=tsv", "--url_col=url", "--caption_col=caption",
                      f"--output_folder={work}/theirs", "--output_format=webdataset", "--image_size=256", "--resize_mode=border",
                      "--encode_format=jpg", "--encode_quality=95", "--processes_count=2", "--thread_count=32",
                      "--number_sample_per_shard=1000", "--enable_wandb=False"]
            runs = {"kosmos": [], "img2dataset": []}
            for turn in range(args.runs):
                order = list(runs) if turn % 2 == 0 else list(runs)[::-1]
                for name in order:
                    for folder in ("ours", "theirs"):
                        shutil.rmtree(f"{work}/{folder}", ignore_errors=True)
                    cpu, wall, peak = measure(ours if name == "kosmos" else theirs, environment)
                    count = stored(work, name, args.kosmos)
                    assert count == args.urls, f"{name} stored {count} images of {args.urls}"
                    runs[name].append((args.urls / cpu, args.urls / wall, peak))
                    print(f"  {scheme} {name}: {args.urls / cpu:.0f} images/CPU-s, {args.urls / wall:.0f} images/s, {peak:.0f} MB", flush=True)
            medians = {name: [sorted(column)[len(rows) // 2] for column in zip(*rows)] for name, rows in runs.items()}
            best = max(row[0] for row in runs["img2dataset"])
            for name, (by_cpu, by_wall, peak) in medians.items():
                print(f"| {scheme} | {name} | {by_cpu:.0f} | {by_wall:.0f} | {peak:.0f} MB |")
            ratio = medians["kosmos"][0] / medians["img2dataset"][0]
            print(f"{scheme}: {ratio:.1f} times by medians, {medians['kosmos'][0] / best:.1f} times its best run", flush=True)
    finally:
        with open(f"{work}/nginx.pid") as pid:
            os.kill(int(pid.read()), signal.SIGTERM)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
