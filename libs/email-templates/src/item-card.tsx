import { Fragment } from 'react';
import type { ReactElement } from 'react';
import type { CauseView } from './cause-view.ts';
import { linesHint } from './digest-view.ts';
import type { ItemView } from './item-view.ts';

/** One item: a bar in the colour of its severity, what failed and why, the facts, what to do. */
export const ItemCard = ({ item }: { readonly item: ItemView }): ReactElement => (
  <table role="presentation" width="100%" className="k">
    <tbody>
      <tr>
        <td className={`i ${item.tone}`}>
          <p className="t">
            {item.label}
            {item.span !== '' && <span className="m"> · {item.span}</span>}
          </p>
          <h3>{item.title}</h3>
          {item.job !== null && <p className="j">{item.job}</p>}
          {item.story.map((line, index) => (
            <p key={index} className="y">
              {line}
            </p>
          ))}
          {item.detail === 'brief' ? <Brief item={item} /> : <Details item={item} />}
        </td>
      </tr>
    </tbody>
  </table>
);

/** Items in one line each, under the cards. */
export const ItemLines = ({ items }: { readonly items: readonly ItemView[] }): ReactElement => (
  <>
    <p className="s m">{linesHint}</p>
    <ul className="o">
      {items.map((item, index) => (
        <li key={index}>
          {`${item.label}: `}
          {item.links[0] === undefined ? item.line : <a href={item.links[0].url}>{item.line}</a>}
        </li>
      ))}
    </ul>
  </>
);

const Details = ({ item }: { readonly item: ItemView }): ReactElement => (
  <>
    {item.causes.map((cause, index) => (
      <Cause key={index} cause={cause} />
    ))}
    {item.moreCauses !== null && <p className="s m">{item.moreCauses}</p>}
    {item.facts.length > 0 && <Facts item={item} />}
    {item.links.length > 0 && (
      <p className="a">
        {item.links.map(({ label, url }) => (
          <Fragment key={label}>
            <a href={url}>{label}</a>{' '}
          </Fragment>
        ))}
      </p>
    )}
    {item.acknowledge !== null && (
      <p className="s m">
        {item.acknowledge.label}: <span className="c b">{item.acknowledge.command}</span>
      </p>
    )}
  </>
);

// One line of error, one of facts and links, one to copy: far down a long mail people skim.
const Brief = ({ item }: { readonly item: ItemView }): ReactElement => (
  <>
    {item.causes.map(
      (cause, index) =>
        (cause.error !== null || !cause.isSentence) && (
          <p key={index} className={cause.isSentence ? 'y' : 'j'} dir="auto">
            {cause.error ?? 'No error text in the row.'}
          </p>
        ),
    )}
    <p className="s m">
      {item.facts.map(({ label, value }) => `${label} ${value}`).join(' · ')}
      {item.links.map(({ label, url }) => (
        <Fragment key={label}>
          {' · '}
          <a href={url}>{label}</a>
        </Fragment>
      ))}
    </p>
    {item.acknowledge !== null && <p className="j">{item.acknowledge.command}</p>}
  </>
);

const Cause = ({ cause }: { readonly cause: CauseView }): ReactElement => (
  <>
    {cause.count !== null && <p className="q">{cause.count}</p>}
    {cause.error !== null ? (
      <ErrorText text={cause.error} isSentence={cause.isSentence} />
    ) : (
      !cause.isSentence && <p className="s m">No error text in the row.</p>
    )}
    {(cause.jobs.length > 0 || cause.more !== null) && (
      <ul className="o">
        {cause.jobs.map((job, index) => (
          <li key={index}>
            {job.url === null ? job.name : <a href={job.url}>{job.name}</a>}
            {job.facts !== '' && <span className="m"> · {job.facts}</span>}
          </li>
        ))}
        {cause.more !== null && (
          <li>{cause.more.url === null ? cause.more.text : <a href={cause.more.url}>{cause.more.text}</a>}</li>
        )}
      </ul>
    )}
  </>
);

// Line breaks are elements because Outlook ignores `pre-wrap`; a `pre` element would not wrap there at all.
const ErrorText = ({ text, isSentence }: { readonly text: string; readonly isSentence: boolean }): ReactElement => (
  <p className={isSentence ? 'y' : 'x'} dir="auto">
    {text.split('\n').map((line, index) => (
      <Fragment key={index}>
        {index > 0 && <br />}
        {line}
      </Fragment>
    ))}
  </p>
);

const Facts = ({ item }: { readonly item: ItemView }): ReactElement => (
  <table role="presentation" width="100%" className="f">
    <tbody>
      {item.facts.map(({ label, value }) => (
        <tr key={label}>
          <td className="l" width="104">
            {label}
          </td>
          <td>{value}</td>
        </tr>
      ))}
    </tbody>
  </table>
);
