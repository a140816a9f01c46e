extension WritableFile {
    package func append(_ bytes: [UInt8]) throws(FilesError) {
        unsafe try bytes.withUnsafeBufferPointer { (buffer) throws(FilesError) in
            unsafe try append(UnsafeRawBufferPointer(buffer))
        }
    }
}
