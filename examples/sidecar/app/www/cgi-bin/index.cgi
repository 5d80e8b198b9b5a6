#!/bin/sh
# The front page, made anew for each request that reaches the application.
echo >>/tmp/requests
printf 'Content-Type: text/plain\r\n\r\n'
echo "Hello from $(hostname), listening on $LISTEN."
echo "This is answer $(wc -l </tmp/requests), made at $(date +%T)."
