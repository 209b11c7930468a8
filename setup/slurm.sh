#!/bin/bash
# Brings up a throw-away Slurm of three nodes on this machine, for tests of the slurm executor: `slurm.sh up DIR`,
# `slurm.sh down DIR`. Needs root, and Debian's packages, which it installs. Prints the line that selects the cluster.
set -euo pipefail
action=${1:?up or down} dir=$(realpath -m "${2:?a folder}")
nodes=3 ports=${SLURM_TEST_PORT:-16817} array_size_max=5 host=$(hostname -s)
export SLURM_CONF=$dir/slurm.conf

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

down() {
    for pid in "$dir"/slurmd-*.pid "$dir"/slurmctld.pid "$dir"/munge/pid; do
        if alive "$pid"; then kill "$(cat "$pid")" || true; fi
    done
}

install() {
    for program in slurmctld slurmd sbatch munged; do
        command -v "$program" >/dev/null || missing=1
    done
    [ -n "${missing:-}" ] || return 0
    command -v apt-get >/dev/null || { echo "slurm: there is no apt-get to install Slurm with" >&2; exit 1; }
    # Without a network it ends soon.
    set -- -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o DPkg::Lock::Timeout=60
    apt-get "$@" update
    DEBIAN_FRONTEND=noninteractive apt-get "$@" install -y --no-install-recommends \
        slurmctld slurmd slurm-client munge >/dev/null
}

configure() {
    mkdir -p "$dir/state" "$dir/munge"
    chown munge:munge "$dir/munge"
    chmod 0755 "$dir" "$dir/munge"
    if [ ! -s "$dir/munge/key" ]; then
        (umask 077; head -c 128 /dev/urandom >"$dir/munge/key")
        chown munge:munge "$dir/munge/key"
    fi
    cat >"$SLURM_CONF" <<EOF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ports
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
SlurmdParameters=config_overrides
MaxArraySize=$array_size_max
MinJobAge=30
JobRequeue=1
SlurmdTimeout=10
KillWait=5
EOF
    for node in $(seq 0 $((nodes - 1))); do
        # More cores and memory are declared than there may be: tests are small.
        echo "NodeName=n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((ports + 1 + node)) CPUs=4 RealMemory=64000"
    done >>"$SLURM_CONF"
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$SLURM_CONF"
}

up() {
    install
    configure
    alive "$dir/munge/pid" || su -s /bin/sh munge -c "munged --force --socket=$dir/munge/socket \
        --key-file=$dir/munge/key --log-file=$dir/munge/log --pid-file=$dir/munge/pid --seed-file=$dir/munge/seed"
    alive "$dir/slurmctld.pid" || slurmctld -f "$SLURM_CONF"
    for node in $(seq 0 $((nodes - 1))); do
        mkdir -p "$dir/spool-n$node"
        alive "$dir/slurmd-n$node.pid" || slurmd -f "$SLURM_CONF" -N "n$node"
    done
    for _ in $(seq 100); do
        if [ "$(sinfo --noheader --Node --format=%t 2>/dev/null | grep -cE '^(idle|mix|alloc)$')" = "$nodes" ]; then
            echo "export SLURM_CONF=$SLURM_CONF"
            exit 0
        fi
        sleep 0.2
    done
    echo "slurm: it did not come up; its logs are in $dir" >&2
    tail -n 5 "$dir"/*.log >&2
    exit 1
}

"$action"
