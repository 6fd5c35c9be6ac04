#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The page of gaze serve in a headless Chromium, driven through its DevTools protocol. Skipped (77)
# where Chromium or Python is missing.
#   page.sh GAZE CHECKPOINT
set -euo pipefail
gaze=$1 checkpoint=$2
chromium=$(command -v chromium || command -v chromium-browser) &&
  python=$(command -v python3) || {
  echo 'page.sh: chromium or python3 is missing' >&2
  exit 77
}
folder=$(mktemp -d)
started=()
finish() {
  kill "${started[@]}" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap finish EXIT

"$gaze" serve --model "$checkpoint" --port 0 >"$folder/address" &
started+=($!)
for ((i = 0; i < 600; ++i)); do
  url=$(sed -nE 's|.* at (http://[^ ]*)/v1; .*|\1/|p' "$folder/address")
  [[ -n $url ]] && break
  sleep 0.1
done
[[ -n $url ]] || { echo 'page.sh: gaze serve prints no address' >&2; exit 1; }

mkfifo "$folder/commands" "$folder/replies"
"$chromium" --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$folder/profile" \
  --remote-debugging-pipe 3<"$folder/commands" 4>"$folder/replies" 2>"$folder/chromium.log" &
started+=($!)

timeout 120 "$python" - "$url" "$folder" <<'PYTHON'
import base64, json, struct, sys, time, zlib

url, folder = sys.argv[1:]
commands = open(folder + '/commands', 'wb', 0)
replies = open(folder + '/replies', 'rb')
log = []        # errors and exceptions of the page
answers = []    # bodies of answers that stand in for the server's
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
    if method == 'Runtime.exceptionThrown' or (method == 'Log.entryAdded' and params['entry']['level'] == 'error'):
        log.append(params)
    if method == 'Fetch.requestPaused':
        fulfill(params['requestId'])
    return message


def fulfill(request):
    body = base64.b64encode(answers.pop(0).encode()).decode()
    post('Fetch.fulfillRequest', requestId=request, responseCode=200, body=body,
         responseHeaders=[{'name': 'Content-Type', 'value': 'text/event-stream'}])


def js(expression):
    result = send('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
    assert 'exceptionDetails' not in result, result
    return result['result'].get('value')


def until(expression):
    end = time.time() + 30
    while not js(expression):
        assert time.time() < end, 'never true: ' + expression + '; the page shows: ' + js('document.body.innerText')
        time.sleep(0.02)


def png(name, width, height):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    rows = b''.join(b'\0' + bytes(v for x in range(width) for v in (x * 255 // width, y * 255 // height, 128))
                    for y in range(height))
    path = folder + '/' + name
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
                   chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
    return path


def choose(path):
    root = send('DOM.getDocument')['root']['nodeId']
    node = send('DOM.querySelector', nodeId=root, selector='#file')['nodeId']
    send('DOM.setFileInputFiles', files=[path], nodeId=node)
    until("!document.querySelector('#figure').hidden && document.querySelector('#shown').complete")


def ask(question):
    js(f"document.querySelector('#question').value = {json.dumps(question)}; document.querySelector('#ask').click()")
    until("document.querySelector('#answer').ariaBusy === 'false'")
    assert js("document.querySelector('#error').hidden"), js("document.querySelector('#error').textContent")


def painted():
    """The overlay as text, and the largest opacity of its pixels, once they have been drawn."""
    return js('''new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
      const canvas = document.querySelector('#overlay');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      resolve([canvas.toDataURL(), data.reduce((most, v, i) => i % 4 === 3 ? Math.max(most, v) : most, 0)]);
    })))''')


def key(name):
    for kind in 'keyDown', 'keyUp':
        send('Input.dispatchKeyEvent', type=kind, key=name)


def point_at(number):
    box = js(f"document.querySelectorAll('#answer span')[{number}].scrollIntoView({{block: 'center'}}),"
             f"document.querySelectorAll('#answer span')[{number}].getClientRects()[0].toJSON()")
    send('Input.dispatchMouseEvent', type='mouseMoved', x=box['x'] + box['width'] / 2, y=box['y'] + box['height'] / 2)


def check_no_elements():
    """The only elements are the page's own."""
    assert js("document.querySelectorAll('img').length") == 1
    assert js("document.querySelectorAll('script').length") == 1
    assert js("document.querySelectorAll('#answer *').length === document.querySelectorAll('#answer > span').length")


def check_width(width):
    send('Emulation.setDeviceMetricsOverride', width=width, height=640, deviceScaleFactor=1, mobile=True)
    assert js('document.documentElement.scrollWidth') <= width, 'the page is wider than the window'


def attention_event(attention, text=''):
    choice = {'index': 0, 'delta': {'content': text}, 'gaze_attention': attention}
    return {'choices': [choice]}


hostile = '<img src=x onerror=document.title=1>'
target = send('Target.createTarget', url='about:blank')['targetId']
session['sessionId'] = send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
for domain in 'Log', 'Runtime', 'Page', 'DOM':
    send(domain + '.enable')
send('Page.navigate', url=url)
until("document.querySelector('#ask')?.disabled === false")

# An answer of the model: its tokens can be pointed at.
choose(png(hostile + '.png', 64, 48))
js("document.querySelector('#tokens').value = 8")
ask(hostile)
assert hostile in js("document.querySelector('#name').textContent")
check_no_elements()
everything, most = painted()
assert most > 100, 'the overlay is transparent'
point_at(1)
hovered, most = painted()
assert hovered != everything and most > 100, 'the overlay does not show the token pointed at'
assert '%' in js("document.querySelector('#look').textContent")
js("document.querySelector('#layer').value = 1; document.querySelector('#layer').dispatchEvent(new Event('input', {bubbles: true}))")
assert painted()[0] != hovered, 'the overlay does not depend on the layer'
assert 's to the first' in js("document.querySelector('#timing').textContent")
check_width(320)

# An answer written here: hostile text, a token of half a character, and maps that are known.
send('Fetch.enable', patterns=[{'urlPattern': '*/v1/chat/completions'}])
layers = {'layers': 1, 'heads': 2, 'detail': 'layers', 'pictures': [{'width': 2048, 'height': 68, 'columns': 2, 'rows': 1}]}
maps = [base64.b64encode(bytes(m)).decode() for m in ([255, 0, 255, 0], [0, 255, 0, 255], [0, 255, 0, 255])]
tokens = [{'token': 'x', 'shares': [0.5], 'maps': m, 'scales': [[0.25, 0.25]]} for m in maps]
written = [{**attention_event(tokens[0], hostile), 'choices': [{'index': 0, 'delta': {}}], 'gaze_attention': layers},
           attention_event(tokens[0], hostile), attention_event(tokens[1]), attention_event(tokens[2], ' \u20ac')]
answers.append(''.join(f'data: {json.dumps(event)}\n\n' for event in written) + 'data: [DONE]\n\n')
choose_again = png('wide.png', 3000, 100)
js("document.querySelector('#remove').click()")
choose(choose_again)
assert '2048 × 68' in js("document.querySelector('#note').textContent")
ask('What?')
assert js("document.querySelector('#answer').textContent") == hostile + ' \u20ac'
assert js("document.querySelectorAll('#answer span').length") == 2
assert js("document.querySelector('#head').disabled")
check_no_elements()
check_width(320)
js("document.querySelector('#answer').focus()")
key('ArrowRight')
first, _ = painted()
key('ArrowRight')
assert painted()[0] != first, 'the arrow key does not move to the second token'
assert js("document.activeElement.textContent") == ' \u20ac'
key('Enter')
js("document.activeElement.blur()")
painted()
assert js("document.querySelectorAll('.pinned').length") == 1
key('Escape')
painted()
assert js("document.querySelectorAll('.pinned').length") == 0
assert js('document.title') == 'Gaze'
assert not log, log

# The server's own words when it refuses.
send('Fetch.disable')
js("document.querySelector('#tokens').value = 0; document.querySelector('#ask').click()")
until("document.querySelector('#error').textContent.includes('max_completion_tokens')")
js("document.querySelector('#reset').click()")
assert js("document.querySelector('#question').value + document.querySelector('#answer').textContent") == ''
PYTHON
