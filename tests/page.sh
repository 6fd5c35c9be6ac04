#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The page of gaze serve in a headless Chromium, driven through its DevTools protocol. Skipped (77)
# where Chromium or Python is missing.
#   page.sh GAZE CHECKPOINT
set -euo pipefail
gaze=$1 checkpoint=$2
for program in chromium python3; do
  command -v "$program" >/dev/null || { echo "page.sh: $program is missing" >&2; exit 77; }
done
folder=$(mktemp -d)
started=()
finish() {
  kill "${started[@]}" 2>/dev/null || true
  wait
  for _ in {1..50}; do  # Chromium's other processes may still write
    rm -rf "$folder" 2>/dev/null && break
    sleep 0.1
  done
}
trap finish EXIT

: >"$folder/address"  # before the first look at it
"$gaze" serve --model "$checkpoint" --port 0 >"$folder/address" &
started+=($!)
for ((i = 0; i < 600; ++i)); do
  url=$(sed -nE 's|.* at (http://[^ ]*)/v1; .*|\1/|p' "$folder/address")
  [[ -n $url ]] && break
  sleep 0.1
done
[[ -n $url ]] || { echo 'page.sh: gaze serve prints no address' >&2; exit 1; }

mkfifo "$folder/commands" "$folder/replies"
chromium --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$folder/profile" \
  --remote-debugging-pipe 3<"$folder/commands" 4>"$folder/replies" 2>"$folder/chromium.log" &
started+=($!)

timeout 120 python3 - "$url" "$folder" <<'PYTHON'
import base64, json, struct, sys, time, zlib

url, folder = sys.argv[1:]
commands = open(folder + '/commands', 'wb', 0)
replies = open(folder + '/replies', 'rb')
log = []      # errors and exceptions of the page
written = []  # bodies that stand in for the server's answers
asked = []    # the requests that they answer
session = {}


def post(method, **params):
    """Sends a command of the DevTools protocol; returns its number."""
    post.number = getattr(post, 'number', 0) + 1
    command = {'id': post.number, 'method': method, 'params': params, **session}
    commands.write(json.dumps(command).encode() + b'\0')
    return post.number


def send(method, **params):
    """Sends a command and returns its result."""
    number = post(method, **params)
    while (message := receive()).get('id') != number:
        pass
    assert 'error' not in message, message
    return message['result']


def receive():
    text = bytearray()
    while (c := replies.read(1)) != b'\0':
        assert c, 'Chromium has ended'
        text += c
    message = json.loads(text)
    method, params = message.get('method'), message.get('params', {})
    if method == 'Runtime.exceptionThrown':
        log.append(params)
    if method == 'Log.entryAdded' and params['entry']['level'] == 'error':
        log.append(params)
    if method == 'Fetch.requestPaused':
        asked.append(params['request'].get('postData'))
        body = base64.b64encode(written.pop(0).encode()).decode()
        post('Fetch.fulfillRequest', requestId=params['requestId'], responseCode=200, body=body)
    return message


def js(expression):
    result = send('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
    assert 'exceptionDetails' not in result, result
    return result['result'].get('value')


def until(expression):
    end = time.time() + 30
    while not js(expression):
        assert time.time() < end, f'never true: {expression}\n' + js('document.body.innerText')
        time.sleep(0.02)


def png(name, width, height):
    def chunk(kind, data):
        checked = kind + data
        return struct.pack('>I', len(data)) + checked + struct.pack('>I', zlib.crc32(checked))

    rows = b''.join(b'\0' + bytes(v for x in range(width) for v in (x * 255 // width, y, 128))
                    for y in range(height))
    head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    path = folder + '/' + name
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) +
                   chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
    return path


def choose(path):
    root = send('DOM.getDocument')['root']['nodeId']
    node = send('DOM.querySelector', nodeId=root, selector='#file')['nodeId']
    send('DOM.setFileInputFiles', files=[path], nodeId=node)
    until("!$('figure').hidden && $('shown').complete && $('shown').naturalWidth > 1")


def ask(question):
    js(f"$('question').value = {json.dumps(question)}; $('ask').click()")
    until("$('answer').ariaBusy === 'false'")
    assert js("$('error').hidden"), js("$('error').textContent")


def painted():
    """The overlay as text, and the largest opacity of its pixels, once they have been drawn."""
    return js('''new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
      const canvas = $('overlay');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const most = data.reduce((most, v, i) => i % 4 === 3 ? Math.max(most, v) : most, 0);
      resolve([canvas.toDataURL(), most]);
    })))''')


def key(name):
    for kind in 'keyDown', 'keyUp':
        send('Input.dispatchKeyEvent', type=kind, key=name)


def point_at(number):
    js(f"pieces[{number}].span.scrollIntoView({{block: 'center'}})")
    box = js(f"pieces[{number}].span.getClientRects()[0].toJSON()")
    send('Input.dispatchMouseEvent', type='mouseMoved', x=box['x'] + box['width'] / 2,
         y=box['y'] + box['height'] / 2)


def check_no_elements():
    """The only elements are the page's own."""
    assert js("document.querySelectorAll('img').length") == 1
    assert js("document.querySelectorAll('script').length") == 1
    assert js("$('answer').querySelectorAll('*').length === pieces.length")


def check_width(width):
    send('Emulation.setDeviceMetricsOverride', width=width, height=640, deviceScaleFactor=1,
         mobile=True)
    assert js('document.documentElement.scrollWidth') <= width, 'the page is wider than the window'


def stream(*events):
    return ''.join(f'data: {json.dumps(e)}\n\n' for e in events) + 'data: [DONE]\n\n'


def token(cells, text):
    maps = base64.b64encode(bytes(cells)).decode()
    attention = {'token': '?', 'shares': [0.5], 'maps': maps, 'scales': [[0.25, 0.25]]}
    return {'choices': [{'index': 0, 'delta': {'content': text}, 'gaze_attention': attention}]}


hostile = '<img src=x onerror=document.title=1>'
target = send('Target.createTarget', url='about:blank')['targetId']
session['sessionId'] = send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
for domain in 'Log', 'Runtime', 'Page', 'DOM':
    send(domain + '.enable')
send('Page.navigate', url=url)
until("document.getElementById('ask')?.disabled === false")

# An answer of the model: its tokens can be pointed at.
choose(png(hostile + '.png', 64, 48))
js("$('tokens').value = 8")
ask(hostile)
assert hostile in js("$('name').textContent")
check_no_elements()
everything, most = painted()
assert most > 100, 'the overlay is transparent'
point_at(1)
pointed, most = painted()
assert pointed != everything and most > 100, 'the overlay does not show the token pointed at'
assert '%' in js("$('look').textContent")
js("$('layer').value = 1; $('layer').dispatchEvent(new Event('input', {bubbles: true}))")
assert painted()[0] != pointed, 'the overlay does not depend on the layer'
assert 's to the first' in js("$('timing').textContent")
check_width(320)

# An answer written here: hostile text, a token without a whole character, and only means over
# heads. The picture is too large to be sent as it is.
send('Fetch.enable', patterns=[{'urlPattern': '*/v1/*'}])
js("$('remove').click()")
choose(png('wide.png', 3000, 100))
assert '2048 × 68' in js("$('note').textContent")
picture = {'width': 2048, 'height': 68, 'columns': 2, 'rows': 1}
grid = {'layers': 1, 'heads': 2, 'detail': 'layers', 'pictures': [picture]}
written.append(stream({'choices': [{'index': 0, 'delta': {}}], 'gaze_attention': grid},
                      token([255, 0, 255, 0], hostile), token([0, 255, 0, 255], ''),
                      token([0, 255, 0, 255], ' €')))
ask('What?')
assert json.loads(asked[-1])['gaze_attention'] is True
assert js("$('answer').textContent") == hostile + ' €'
assert js('pieces.map(piece => piece.tokens.length)') == [1, 2]
assert js("$('head').disabled")
check_no_elements()
check_width(320)

# Keys move between tokens, and pin one.
js("$('answer').focus()")
key('ArrowRight')
first = painted()[0]
key('ArrowRight')
assert painted()[0] != first, 'the arrow key does not move to the second token'
key('Enter')
js('document.activeElement.blur()')
painted()
assert js("document.querySelector('.pinned').textContent") == ' €'
key('Escape')
painted()
assert js("document.querySelector('.pinned')") is None

# A model that does not see is sent no picture.
written += [json.dumps({'data': [{'id': 'blind', 'gaze': {'sees': False}}]}),
            stream({'choices': [{'index': 0, 'delta': {'content': 'Text.'}}]})]
send('Page.reload')
until("document.getElementById('model')?.textContent === 'blind'")
ask('What?')
assert js("$('picture').hidden && $('answer').textContent === 'Text.'")
assert 'gaze_attention' not in json.loads(asked[-1])
assert js('document.title') == 'Gaze'
assert not log, log

# The server's own words when it refuses, and a new question.
send('Fetch.disable')
js("model = null; findModel()")
js("$('tokens').value = 0; $('ask').click()")
until("$('error').textContent.includes('max_completion_tokens')")
js("$('reset').click()")
assert js("$('question').value + $('answer').textContent + $('error').textContent") == ''
PYTHON
