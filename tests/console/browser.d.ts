// What browsers have and TypeScript 4.8's own description of them lacks.

interface HTMLMediaElement {
  setSinkId?(sink: string): Promise<void>;
}

interface AudioContext {
  setSinkId?(sink: string): Promise<void>;
}

declare const currentTime: number;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
