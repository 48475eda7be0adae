import { render } from 'react-email';
import { DigestMail } from './digest-mail.tsx';
import type { DigestView } from './digest-view.ts';

/** The HTML part of a message. In a file of its own because React and react-email, which it needs, take some 50 MB. */
export const renderHtml = async (view: DigestView): Promise<string> => render(<DigestMail view={view} />);
