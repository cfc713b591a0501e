# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What every script in tests/vm shares: where things are, how they speak, and
# locks. To be sourced by a script that has set $top to the top of the project.

: "${top:?}"

# What programs say is read here, so they say it in English; to a translation, C.UTF-8 is no obstacle.
export LC_ALL=C
# The guest's unprivileged users read and run what is copied to it.
umask 022

# Downloads, kernels and images. Outside build/, so that they outlive `make
# clean` and serve every clone on this machine.
cache=${ZCDMA_CACHE:-${XDG_CACHE_HOME:-${HOME:-$top/build}/.cache}/zcdma}
# shellcheck disable=SC2034 # for those who source this
build=$top/build

say() {
	echo "${0##*/}: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# usage_error MESSAGE...: wrong usage has a status of its own.
usage_error() {
	say "$*"
	exit 2
}

# Debian's name of this machine's architecture, without asking dpkg each time.
host_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) die "this machine is a $(uname -m); amd64 and arm64 hosts are supported" ;;
	esac
}

# host_release: bookworm, trixie...
host_release() (
	VERSION_CODENAME=
	# shellcheck disable=SC1091
	. /etc/os-release
	case $VERSION_CODENAME in
	bookworm | trixie) echo "$VERSION_CODENAME" ;;
	*) die "this machine runs '${PRETTY_NAME-an unknown system}'; Debian 12 and 13 are supported" ;;
	esac
)

# locked NAME COMMAND...: run COMMAND while no other process, of any clone,
# runs one under the same NAME.
locked() {
	locked_name=$1
	shift
	mkdir -p "$cache/locks"
	(
		if ! flock -n 9; then
			say "waiting for another run that has the lock '$locked_name'"
			flock 9
		fi
		"$@"
	) 9>"$cache/locks/$locked_name"
}

# cross_prefix ARCH: what to put before "gcc" to build for Debian's ARCH.
cross_prefix() {
	[ "$1" = "$(host_arch)" ] && return
	case $1 in
	arm64) echo aarch64-linux-gnu- ;;
	armhf) echo arm-linux-gnueabihf- ;;
	esac
}

# as_root COMMAND...: with files that look as if root owned them.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		fakeroot "$@"
	fi
}
