#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# libzcdma, installed: the 20-line example builds against the prefix with
# pkg-config, static and shared, the header suits C++, and the library exports
# what its version script says and nothing else. The ALSA plugin loads in this
# machine's alsa-lib, which is older than the guest's, and exports its entry only. The loader is
# told of the library, unless it went into a tree for another machine.
# timeout: 120
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
failed=0

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "ok - $name"
	else
		sed 's/^/# /' "$dir/log"
		echo "not ok - $name"
		failed=1
	fi
}

# In a prefix as a package would have it.
config() {
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "$@" libzcdma
}

# shellcheck disable=SC2046 # lists of options
example() {
	gcc -Wall -Wextra -Wno-unused-parameter -Werror "$@" -o "$dir/capture" \
		"$top/userlib/examples/capture.c" $(config --cflags) $(config --libs) &&
		LD_LIBRARY_PATH=$prefix/lib "$dir/capture" nosuch 2>&1 | grep -q 'No such device'
}

# shellcheck disable=SC2046
cplusplus() {
	printf '%s\n' '#include <zcdma.h>' 'int main() {' \
		'	struct zcdma_stream *s; struct zcdma_buffer *b;' \
		'	return zcdma_open(&s, "nosuch", 0) != -19 ||' \
		'	       (0 && (zcdma_acquire(s, &b, 0) || zcdma_release(s, b)));' '}' >"$dir/a.cc"
	g++ -std=c++11 -Wall -Wextra -pedantic -Werror -o "$dir/a" "$dir/a.cc" \
		$(config --cflags) $(config --libs) && LD_LIBRARY_PATH=$prefix/lib "$dir/a"
}

symbols() {
	sed -n 's/^\t\t\(zcdma_[a-z_]*\);$/\1/p' "$top/userlib/libzcdma.map" | sort >"$dir/wanted"
	nm -D --defined-only "$prefix/lib/libzcdma.so" | sed -n 's/.* T \([^@]*\)@@ZCDMA_1$/\1/p' |
		sort >"$dir/got"
	[ -s "$dir/got" ] && diff "$dir/wanted" "$dir/got"
}

# Every function of the header has its page.
pages() {
	while read -r page; do
		case $page in
		*_slow | zcdma_kick) ;;
		*) [ -e "$prefix/share/man/man3/$page.3" ] || { echo "no page: $page"; return 1; } ;;
		esac
	done <"$dir/wanted"
}

plugin=$prefix/alsa-lib/libasound_module_pcm_zcdma.so

plugin_symbols() {
	nm -D --defined-only "$plugin" | awk '{ print $3 }' | sort | tee "$dir/got"
	printf '%s\n' __snd_pcm_zcdma_open_dlsym_pcm_001 _snd_pcm_zcdma_open | diff - "$dir/got"
}

# What it says where there is no such device, and of a key that it does not know.
plugin_loads() {
	cat >"$dir/open.c" <<-'C'
	#include <alsa/asoundlib.h>
	int main(int argc, char **argv)
	{
		snd_pcm_t *pcm;

		return argc == 2 ? -snd_pcm_open(&pcm, argv[1], SND_PCM_STREAM_PLAYBACK, 0) : 255;
	}
	C
	cat "$prefix/etc/50-zcdma.conf" - >"$dir/asound.conf" <<-CONF
	pcm_type.zcdma.lib "$plugin"
	pcm.bad { type zcdma devise "virt0" }
	CONF
	gcc -o "$dir/open" "$dir/open.c" -lasound || return
	for case in rawzcdma:nosuch,spk0=19 zcdma:nosuch=19 bad=22; do
		ALSA_CONFIG_PATH=$dir/asound.conf "$dir/open" "${case%=*}"
		status=$?
		[ "$status" = "${case#*=}" ] || { echo "$case: $status"; return 1; }
	done
}

# into DESTDIR. The loader's own cache stays as it is: ldconfig is one that only says it was called.
into() {
	PATH=$dir/bin:$PATH make -s -C "$top/userlib" O="$dir/build" PREFIX="$prefix" DESTDIR="$1" \
		ALSA_LIBDIR="$prefix/alsa-lib" ALSA_DATADIR="$prefix/share/alsa" ALSA_CONFDIR="$prefix/etc" install
}
mkdir "$dir/bin"
printf '#!/bin/sh\necho refreshed >>"%s"\n' "$dir/cache" >"$dir/bin/ldconfig"
chmod +x "$dir/bin/ldconfig"

check install_into_tree into "$dir/tree"
check tree_leaves_loader_alone test ! -e "$dir/cache"
check install into ''
check loader_is_told test -e "$dir/cache"
check example_shared example
check example_static example -static
check header_in_c++ cplusplus
check exported_symbols symbols
check man_pages pages
check soname sh -c "readelf -d $prefix/lib/libzcdma.so | grep -q 'SONAME.*libzcdma.so.1]'"
check plugin_symbols plugin_symbols
check plugin_loads plugin_loads
exit $failed
