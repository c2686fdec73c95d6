import { useRef } from 'preact/hooks';
import { type Finding, linesWithFindings, offsetOf, placeText } from '../domain/findings.js';
import { Icon } from './icon.js';

interface FileEditorProps {
  readonly text: string;
  readonly findings: readonly Finding[];
  readonly onChange: (text: string) => void;
}

/** A text with numbered lines; what is wrong with it stands beside it and leads to its place. */
export function FileEditor({ text, findings, onChange }: FileEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const marked = linesWithFindings(findings);
  const lines = text.split('\n').length;
  const goTo = ({ line, column }: Finding): void => {
    if (!area.current || line === null) return;
    const at = offsetOf(text, line, column ?? 1);
    area.current.focus();
    area.current.setSelectionRange(at, at);
    area.current.scrollTop = Math.max(0, (line - 4) * 21);
  };
  return (
    <div class="editor">
      <div class="editor-text">
        <div class="editor-gutter" ref={gutter} aria-hidden="true">
          {Array.from({ length: lines }, (_, i) => (
            <span key={i} class={marked.has(i + 1) ? `line-${marked.get(i + 1)}` : ''}>
              {i + 1}
            </span>
          ))}
        </div>
        <textarea
          ref={area}
          aria-label="Rollout file, YAML"
          aria-describedby="findings"
          aria-invalid={findings.some(({ severity }) => severity === 'error')}
          spellcheck={false}
          autocomplete="off"
          wrap="off"
          value={text}
          onInput={(event) => onChange(event.currentTarget.value)}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
      <ul class="findings" id="findings" aria-live="polite">
        {findings.map((finding) => (
          <li key={`${finding.line}:${finding.column}:${finding.text}`} class={`finding finding-${finding.severity}`}>
            <Icon name={finding.severity === 'error' ? 'bad' : 'wait'} />
            <span>
              {finding.line !== null && (
                <button type="button" class="plain" onClick={() => goTo(finding)}>
                  {placeText(finding)}
                </button>
              )}{' '}
              {finding.severity === 'warning' && <strong>Warning: </strong>}
              {finding.text}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
