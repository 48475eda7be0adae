import { Body, Container, Head, Html } from 'react-email';
import type { ReactElement } from 'react';
import type { DigestView } from './digest-view.ts';
import type { IncidentView } from './incident-view.ts';
import { ItemCard, ItemLines } from './item-card.tsx';
import { darkStyles, mailFont, mailStyles } from './mail-styles.ts';

/** Longer headlines are set smaller, so that a phone still shows the first item below. */
const shortHeadlineCharactersMax = 90;

/**
 * The HTML part. The first thing in it is the headline, so that a lock screen shows the story without hidden preview
 * text. No images, no scripts, nothing loaded from anywhere.
 */
export const DigestMail = ({ view }: { readonly view: DigestView }): ReactElement => (
  <Html lang="en" dir="ltr">
    <Head>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="supported-color-schemes" content="light dark" />
      <meta name="format-detection" content="telephone=no, date=no, address=no, email=no" />
      <title>{view.subject}</title>
      <style>{mailStyles}</style>
      <style>{darkStyles}</style>
    </Head>
    <Body className="page" style={{ fontFamily: mailFont }}>
      <Container className="wrap" style={{ maxWidth: 600 }}>
        <div className="pad">
          <h1 className={view.headline.length > shortHeadlineCharactersMax ? 'l' : undefined}>{view.headline}</h1>
          <p className="s m">{[view.totals, view.composedAt].filter((part) => part !== '').join(' · ')}</p>
          {view.notices.map((notice, index) => (
            <p key={index} className="n">
              {notice}
            </p>
          ))}
          {view.incident !== null && <Incident incident={view.incident} />}
          {view.sections.map((section) => (
            <Section key={section.heading} section={section} />
          ))}
          {view.omitted !== null && <p className="w">{view.omitted}</p>}
          <p className="z m">{view.footer}</p>
        </div>
      </Container>
    </Body>
  </Html>
);

// Which types, when, and where the whole list is: what is asked first when everything fails at once.
const Incident = ({ incident }: { readonly incident: IncidentView }): ReactElement => (
  <>
    <p className="y">{incident.times}</p>
    <table role="presentation" width="100%" className="f">
      <tbody>
        {incident.jobTypes.map(({ name, count }) => (
          <tr key={name}>
            <td className="r" width="56">
              {count}
            </td>
            <td>{name}</td>
          </tr>
        ))}
        {incident.moreJobTypes !== null && (
          <tr>
            <td className="r" width="56" />
            <td className="m">{incident.moreJobTypes}</td>
          </tr>
        )}
      </tbody>
    </table>
    {incident.list.url !== null && (
      <p className="a">
        <a href={incident.list.url}>All of them in Tocsin</a>
      </p>
    )}
    <p className="s m">
      {incident.list.url === null ? 'All of them: ' : 'Or: '}
      <span className="c b">{incident.list.command}</span>
    </p>
  </>
);

const Section = ({ section }: { readonly section: DigestView['sections'][number] }): ReactElement => {
  const lines = section.items.filter((item) => item.detail === 'line');
  return (
    <>
      <h2>
        {section.heading}
        {section.items.length > 1 && ` (${section.items.length})`}
      </h2>
      {section.items
        .filter((item) => item.detail !== 'line')
        .map((item, index) => (
          <ItemCard key={index} item={item} />
        ))}
      {lines.length > 0 && <ItemLines items={lines} />}
    </>
  );
};
