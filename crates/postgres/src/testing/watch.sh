# Ends a test run's Postgres after three looks that found nobody connected.
# See shared.rs for what `open` is for, and why it is removed before the last look.
psql=$1 data=$2 socket=$3 pid=$4
trap '' HUP INT

nobody_connected() {
    count=$("$psql" -X -A -t -w -h "$socket" -p 5432 -U postgres -d postgres -c \
        "SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
    # No answer is not the answer 0: a busy server may have no connection to spare.
    [ "$count" = 0 ]
}

idle=0
while kill -0 "$pid"; do
    sleep 6
    if nobody_connected; then idle=$((idle + 1)); else idle=0; fi
    if [ "$idle" -lt 3 ]; then continue; fi
    rm -f "$data/open"
    if nobody_connected; then
        # The smart stop: nobody new gets in, and whoever is in may finish.
        kill -TERM "$pid"
        break
    fi
    touch "$data/open"
    idle=0
done

while [ -e "$data/cluster/postmaster.pid" ] && kill -0 "$pid"; do sleep 1; done
rm -rf "$data" "$socket"
