#!/bin/sh
# Becomes the systemd of the tree $1, as PID 1 of namespaces of its own. The caller has put us into
# a control group of its own, so that this systemd sees no other process of the machine.
set -e
tree=$1
grep -q '^0::/$' /proc/self/cgroup
mount --make-rprivate /
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount --bind "$tree/proc/sys" "$tree/proc/sys" # systemd would change settings of the whole machine
mount -o remount,bind,ro "$tree/proc/sys"
mount -t tmpfs tmpfs "$tree/sys"
mkdir -p "$tree/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$tree/sys/fs/cgroup"
mount -t tmpfs tmpfs "$tree/run"
mount -t tmpfs tmpfs "$tree/dev"
mkdir "$tree/dev/shm" "$tree/dev/pts" "$tree/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
ln -s pts/ptmx "$tree/dev/ptmx"
for device in null zero full random urandom tty; do
    touch "$tree/dev/$device"
    mount --bind "/dev/$device" "$tree/dev/$device"
done
cd "$tree"
pivot_root . mnt
umount -l /mnt
exec env -i container=caes-sync PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=multi-user.target
