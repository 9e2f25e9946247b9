// A model file that reads lines: the same code for a browser and for node. onnxruntime-web is handed in.
import { calibrated } from "./calibration.js";
import { Logits, decode } from "./decode.js";
import { description, isWhole } from "./metadata.js";
import { normalise, prepare } from "./preprocess.js";

export class Model {
  /**
   * Open a model file.
   * @param ort the module onnxruntime-web
   * @param bytes the whole file as a Uint8Array
   */
  static async open(ort, bytes) {
    if ((await isWhole(bytes)) === false) throw new Error("the model file is damaged: its content does not match its digest");
    const found = description(bytes);
    return new Model(ort, await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 3 }), found);
  }

  constructor(ort, session, found) {
    this.ort = ort;
    this.session = session;
    this.description = found;
  }

  /** The output of the model for RGBA pixels, and the line that went in. */
  async logits(rgba, width, height) {
    const { geometry } = this.description;
    const line = prepare(rgba, width, height, geometry);
    const shape = [1, geometry.channels, geometry.height, line.padded];
    const { logits } = await this.session.run({ image: new this.ort.Tensor("float32", normalise(line.pixels, geometry), shape) });
    return { line, logits: new Logits(logits.data, logits.dims[1], logits.dims[2]) };
  }

  /** Read one line; `decoder` takes what `decode` takes. */
  async read(rgba, width, height, decoder = decode) {
    const { line, logits } = await this.logits(rgba, width, height);
    const alone = decoder === decode ? null : () => decode(logits, this.description, line);
    return calibrated(decoder(logits, this.description, line), this.description, line, alone);
  }
}
