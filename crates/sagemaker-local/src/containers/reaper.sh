# Kills the process groups that are still noted when standard input ends, which it does when the server is gone
# for whatever reason, SIGKILL included. Input: "+ GROUP" notes a group, "- GROUP" forgets it.
trap '' INT TERM HUP
groups=' '
while read -r sign group; do
  case "$sign" in
    +) groups="$groups$group " ;;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do
  kill -s KILL -- "-$group" 2>/dev/null
done
